/** Values that a schema alone can't tell: what the policy tests send where a made-up one would not do. */
export const SAMPLES: {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly body: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
} = {
  params: { name: "manifest.json" },
  query: {},
  body: {
    "PATCH /jobs/:jobId": { priority: 0 },
    "PUT /workspaces/:workspaceId/documents": {
      documents: [{
        name: "view/1/layout",
        editId: "0197a2c4-0000-7000-8000-000000000001",
        base: 1,
        agoMs: 0,
        content: "{}",
      }],
    },
  },
};

const TUS = { "tus-resumable": "1.0.0" };

/** Headers that an endpoint needs by another protocol than ours, by "METHOD /path". */
export const SAMPLE_HEADERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "HEAD /uploads/:uploadId": TUS,
  "PATCH /uploads/:uploadId": {
    ...TUS,
    "content-type": "application/offset+octet-stream",
    "upload-offset": "0",
  },
  "DELETE /uploads/:uploadId": TUS,
};
