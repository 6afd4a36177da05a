select fill_lookup('hash_algorithm', 'sha256', 'xxh3');
select fill_lookup('media_kind', 'image', 'video', 'audio', 'document', 'archive', 'model');
insert into media_type (id, code, label, sort, kind_id, extension)
select n, t.code, t.label, n, k.id, t.extension
  from (values
    (1, 'image/png', 'PNG', 'image', 'png'), (2, 'image/jpeg', 'JPEG', 'image', 'jpg'),
    (3, 'image/webp', 'WebP', 'image', 'webp'), (4, 'image/gif', 'GIF', 'image', 'gif'),
    (5, 'image/bmp', 'BMP', 'image', 'bmp'), (6, 'image/tiff', 'TIFF', 'image', 'tif'),
    (7, 'image/apng', 'Animated PNG', 'video', 'png'), (8, 'image/avif', 'AVIF', 'image', 'avif'),
    (9, 'image/heic', 'HEIC', 'image', 'heic'),
    (20, 'video/mp4', 'MP4', 'video', 'mp4'), (21, 'video/quicktime', 'QuickTime', 'video', 'mov'),
    (22, 'video/webm', 'WebM', 'video', 'webm'), (23, 'video/x-matroska', 'Matroska', 'video', 'mkv'),
    (24, 'video/x-msvideo', 'AVI', 'video', 'avi'),
    (40, 'audio/wav', 'WAV', 'audio', 'wav'), (41, 'audio/mpeg', 'MP3', 'audio', 'mp3'),
    (42, 'audio/flac', 'FLAC', 'audio', 'flac'), (43, 'audio/ogg', 'Ogg', 'audio', 'ogg'),
    (44, 'audio/mp4', 'MPEG-4 audio', 'audio', 'm4a'),
    (60, 'application/json', 'JSON', 'document', 'json'), (61, 'application/xml', 'XML', 'document', 'xml'),
    (62, 'text/csv', 'CSV', 'document', 'csv'), (63, 'text/plain', 'Text', 'document', 'txt'),
    (64, 'application/octet-stream', 'Binary', 'document', 'bin'), (65, 'application/pdf', 'PDF', 'document', 'pdf'),
    (66, 'image/svg+xml', 'SVG', 'document', 'svg'),
    (80, 'application/zip', 'ZIP', 'archive', 'zip'), (81, 'application/gzip', 'gzip', 'archive', 'gz'),
    (90, 'application/x-safetensors', 'Safetensors', 'model', 'safetensors')
  ) as t (n, code, label, kind, extension)
  join media_kind k on k.code = t.kind
on conflict (id) do update set code = excluded.code, label = excluded.label, sort = excluded.sort,
  kind_id = excluded.kind_id, extension = excluded.extension;

select fill_lookup('asset_kind', 'upload', 'portrait', 'foundation', 'take_raw', 'take', 'end_image', 'cut',
  'cut_intermediate', 'master', 'sidecar', 'metadata', 'attachment', 'generated');
select fill_lookup('retention_class', 'protected', 'keep', 'reclaimable', 'scratch');
select fill_lookup('derivative_kind', 'working_image', 'thumbnail', 'poster', 'proxy', 'sprite', 'waveform');

-- 3 (failed) is named in a constraint of file_inspections.
select fill_lookup('inspection_status', 'waiting', 'done', 'failed');
select allow_changes('inspection_status', 'waiting', 'done', 'failed');
select allow_changes('inspection_status', 'failed', 'waiting');
