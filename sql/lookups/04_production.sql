select fill_lookup('character_status', 'active', 'trashed');
select allow_changes('character_status', 'active', 'trashed');
select allow_changes('character_status', 'trashed', 'active');

select fill_lookup('seed_kind', 'portrait', 'foundation');
select fill_lookup('seed_origin', 'given', 'generated', 'derived');
-- The numbers 1 (making), 5 (hero), 6 (failed) and 7 (cancelled) are named in constraints of seeds.
select fill_lookup('seed_status', 'making', 'candidate', 'kept', 'rejected', 'hero', 'failed', 'cancelled');
select allow_changes('seed_status', 'making', 'candidate', 'failed', 'cancelled');
select allow_changes('seed_status', 'failed', 'making');
select allow_changes('seed_status', 'cancelled', 'making');
select allow_changes('seed_status', 'candidate', 'kept', 'rejected', 'hero');
select allow_changes('seed_status', 'kept', 'candidate', 'rejected', 'hero');
select allow_changes('seed_status', 'rejected', 'candidate', 'kept', 'hero');
select allow_changes('seed_status', 'hero', 'kept', 'candidate');

select fill_lookup('scene_status', 'active', 'trashed');
select allow_changes('scene_status', 'active', 'trashed');
select allow_changes('scene_status', 'trashed', 'active');

select fill_lookup('clip_status', 'draft', 'generating', 'paused', 'needs_attention', 'stitching', 'in_review', 'final', 'trashed');
select allow_changes('clip_status', 'draft', 'generating', 'stitching', 'trashed');
select allow_changes('clip_status', 'generating', 'paused', 'needs_attention', 'stitching', 'in_review', 'draft');
select allow_changes('clip_status', 'paused', 'generating', 'needs_attention', 'stitching', 'draft', 'trashed');
-- To review as it is: a person keeps a cut that its gates asked about.
select allow_changes('clip_status', 'needs_attention', 'generating', 'paused', 'stitching', 'in_review', 'draft', 'trashed');
select allow_changes('clip_status', 'stitching', 'in_review', 'needs_attention', 'generating', 'paused');
select allow_changes('clip_status', 'in_review', 'final', 'generating', 'stitching', 'needs_attention', 'draft', 'trashed');
select allow_changes('clip_status', 'final', 'in_review');
select allow_changes('clip_status', 'trashed', 'draft');

select fill_lookup('segment_status', 'planned', 'generating', 'ready', 'failed', 'removed');
-- A person may choose an earlier take of any segment, so each may become ready; each but itself may be made anew.
select allow_changes('segment_status', 'planned', 'generating', 'ready', 'removed');
select allow_changes('segment_status', 'generating', 'ready', 'failed', 'planned', 'removed');
select allow_changes('segment_status', 'ready', 'generating', 'planned', 'removed');
select allow_changes('segment_status', 'failed', 'generating', 'ready', 'planned', 'removed');
select allow_changes('segment_status', 'removed', 'generating', 'ready');

-- The numbers 1 to 4 (generating, ingesting, measuring, ready) are named in constraints of takes.
select fill_lookup('take_status', 'generating', 'ingesting', 'measuring', 'ready', 'rejected', 'failed', 'cancelled');
select allow_changes('take_status', 'generating', 'ingesting', 'failed', 'cancelled');
select allow_changes('take_status', 'ingesting', 'measuring', 'failed', 'cancelled');
select allow_changes('take_status', 'measuring', 'ready', 'rejected', 'failed', 'cancelled');
select allow_changes('take_status', 'ready', 'rejected');
select allow_changes('take_status', 'rejected', 'ready');
select allow_changes('take_status', 'failed', 'generating', 'ingesting', 'measuring');
select allow_changes('take_status', 'cancelled', 'generating', 'ingesting', 'measuring');

select fill_lookup('conform_rule', 'none', 'interpolate', 'repeat_nearest');
-- 1 (stitching), 2 (measuring), 5 (final) and 7 (failed) are named in constraints of cuts.
select fill_lookup('cut_status', 'stitching', 'measuring', 'ready', 'rejected', 'final', 'superseded', 'failed');
select allow_changes('cut_status', 'stitching', 'measuring', 'failed');
select allow_changes('cut_status', 'measuring', 'ready', 'failed');
select allow_changes('cut_status', 'ready', 'rejected', 'final', 'superseded');
select allow_changes('cut_status', 'rejected', 'ready', 'final', 'superseded');
select allow_changes('cut_status', 'final', 'ready');
select allow_changes('cut_status', 'superseded', 'ready', 'final');
select allow_changes('cut_status', 'failed', 'stitching', 'measuring');

select fill_lookup('seam_verdict', 'pass', 'warn', 'fail');
select fill_lookup('gate_verdict', 'pass', 'heal', 'reroll', 'ask');
select fill_lookup('decision_kind', 'approve', 'reject', 'finalize', 'flag');
-- 2 (ready) is named in constraints of masters.
select fill_lookup('master_status', 'assembling', 'ready', 'failed');
select allow_changes('master_status', 'assembling', 'ready', 'failed');
select allow_changes('master_status', 'failed', 'assembling');
select fill_lookup('assembly_method', 'copied', 'conformed');
select fill_lookup('document_kind', 'character', 'video');
select fill_lookup('delivery_status', 'assembling', 'ready', 'failed');
select allow_changes('delivery_status', 'assembling', 'ready', 'failed');
select fill_lookup('delivery_file_kind', 'master', 'csv', 'xml', 'character_metadata', 'video_metadata', 'manifest', 'readme');
