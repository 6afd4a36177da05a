-- How the machine of a worker is that is not the studio's own, as an agent there tells; null where none does.
alter table worker_vitals
  add column cpu_percent real,
  add column disk_used_bytes bigint,
  add column disk_total_bytes bigint,
  add column received_bytes_per_second real,
  add column sent_bytes_per_second real;
