select fill_lookup('event_kind', 'project.changed', 'character.changed', 'seed.changed', 'batch.changed',
  'scene.changed', 'clip.changed', 'segment.changed', 'take.changed', 'cut.changed', 'master.changed',
  'delivery.changed', 'asset.added', 'job.changed', 'worker.changed', 'user.changed', 'session.revoked',
  'settings.changed', 'queue.changed', 'asset.changed', 'workspace.changed');
select fill_lookup('audit_action', 'user.create', 'user.change', 'user.sign_in', 'user.sign_in_refused',
  'user.sign_out', 'user.sign_out_everywhere', 'session.token_reused', 'api_token.create', 'api_token.revoke',
  'link.create', 'link.use', 'project.create', 'project.change', 'project.member_set', 'project.member_remove',
  'character.create', 'character.change', 'seed.add', 'seed.generate', 'seed.derive', 'seed.rate', 'seed.reject',
  'seed.keep', 'seed.choose_hero', 'seed.approve', 'seed.compare', 'seed.cancel_batch', 'scene.create', 'scene.change', 'clip.create', 'clip.change',
  'clip.generate', 'clip.pause', 'clip.resume', 'segment.change', 'segment.reroll', 'take.choose', 'cut.stitch',
  'cut.approve', 'cut.reject', 'cut.finalize', 'cut.undo_decision', 'master.assemble', 'delivery.create',
  'asset.upload', 'asset.delete', 'job.submit', 'job.cancel', 'job.hold', 'job.release', 'job.retry',
  'job.reorder', 'queue.pause', 'queue.resume', 'worker.create', 'worker.change', 'worker.remove',
  'workflow.import', 'workflow.change', 'settings.change', 'segment.extend', 'cut.keep');
