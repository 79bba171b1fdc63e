// SPDX-License-Identifier: MIT
// Makes 50x50 thumbnails of all images in a folder with sharp, without a blur, WORKERS at a time.
//
//     node sharp_pool.mjs SHARP IMAGES THUMBS WORKERS
import { createRequire } from "node:module";
import fs from "node:fs";
import path from "node:path";

const [, , where, images, thumbs, workers] = process.argv;
const sharp = createRequire(path.join(where, "node_modules", "x.js"))("sharp");
sharp.concurrency(1);
sharp.cache(false);
fs.mkdirSync(thumbs, { recursive: true });
const names = fs.readdirSync(images);

async function work() {
  for (let name = names.pop(); name; name = names.pop())
    await sharp(path.join(images, name))
      .resize(50, 50, { fit: "inside", withoutEnlargement: true })
      .jpeg({ quality: 75 })
      .toFile(path.join(thumbs, name + ".jpg"));
}

await Promise.all(Array.from({ length: Number(workers) }, work));
