-- What a reply says of a file's facts, kept beside them by PostgreSQL itself: a page of assets shows fifty, and
-- putting them together took longer than to find them.

-- to_json() is called stable for the sake of other types; of a text it always gives the same.
create function json_text(value text) returns text language sql immutable strict parallel safe
  return to_json(value)::text;

alter table media_facts add column reply_json text not null generated always as (
  '{"container":' || json_text(container)
  || coalesce(',"codec":' || json_text(codec), '')
  || coalesce(',"widthPx":' || width_px, '')
  || coalesce(',"heightPx":' || height_px, '')
  || coalesce(',"rotationDeg":' || rotation_deg, '')
  || coalesce(',"pixelFormat":' || json_text(pixel_format), '')
  || coalesce(',"bitDepth":' || bit_depth, '')
  || coalesce(',"hasAlpha":' || has_alpha::text, '')
  || coalesce(',"rate":{"num":' || rate_num || ',"den":' || rate_den || '}', '')
  || coalesce(',"isConstantRate":' || is_constant_rate::text, '')
  || coalesce(',"frameCount":' || frame_count, '')
  || coalesce(',"durationUs":' || duration_us, '')
  || coalesce(',"colorPrimaries":' || json_text(color_primaries), '')
  || coalesce(',"colorTransfer":' || json_text(color_transfer), '')
  || coalesce(',"colorMatrix":' || json_text(color_matrix), '')
  || coalesce(',"colorRange":' || json_text(color_range), '')
  || coalesce(',"hasAudio":' || has_audio::text, '') || '}') stored;
