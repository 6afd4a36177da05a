// Puts one large file into the bucket that it is told, in parts, to be killed on the way by s3_store_test.ts.
import { S3Store } from "./s3_store.ts";
import { S3Place } from "./store_place.ts";

const [place = "{}", path = "", partBytes = "0"] = Deno.args;
await new S3Store(S3Place.parse(JSON.parse(place)), { partBytes: Number(partBytes) }).put(
  { path },
  "video/mp4",
);
