// A small S3 client on the AWS SDK for JavaScript: s3.mjs ADDRESS put|get|presign-get|presign-put BUCKET KEY FILE
import { createReadStream, createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

const [endpoint, what, Bucket, Key, file] = process.argv.slice(2);
// What is pre-signed is sent later: a checksum of its bytes cannot be signed now.
const requestChecksumCalculation = what.startsWith("presign") ? "WHEN_REQUIRED" : "WHEN_SUPPORTED";
const client = new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true, requestChecksumCalculation });

if (what === "put") await new Upload({ client, params: { Bucket, Key, Body: createReadStream(file) } }).done();
else if (what === "get") await pipeline((await client.send(new GetObjectCommand({ Bucket, Key }))).Body, createWriteStream(file));
else if (what === "presign-get") console.log(await getSignedUrl(client, new GetObjectCommand({ Bucket, Key }), { expiresIn: 3600 }));
else if (what === "presign-put") console.log(await getSignedUrl(client, new PutObjectCommand({ Bucket, Key }), { expiresIn: 3600 }));
else throw new Error(`${what}?`);
