// How long does an urgent job wait for its start? `node starts.mjs CONCURRENCY FILE`; the file names the
// calls of the jobs that wait already and of those that are asked for, one after the other. Prints the
// waits in milliseconds as a JSON list.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Queue, QueueEvents, Worker } from "bullmq";
import IORedis from "ioredis";

const [concurrency, file] = [Number(process.argv[2]), process.argv[3]];
const { asked, waiting, pause } = JSON.parse(readFileSync(file, "utf8"));
const [URGENT, SCHEDULED, CALLS] = [1, 5, 3];
const connection = () => new IORedis(process.env.PEER_REDIS_URL, { maxRetriesPerRequest: null });
const queue = new Queue("starts", { connection: connection() });
const events = new QueueEvents("starts", { connection: connection() });
const options = (priority) => ({ priority, removeOnComplete: true, removeOnFail: true });

const starts = new Map();
async function sync(job) {
  starts.set(job.id, performance.now());
  for (let call = 0; call < CALLS; call += 1) {
    const answer = await fetch(process.env.SANDBOX_URL + job.data.path, {
      headers: { Authorization: `Bearer ${process.env.SANDBOX_TOKEN}` },
    });
    if (!answer.ok) throw new Error(`the sandbox answered ${answer.status}`);
    await answer.json();
  }
}

await queue.addBulk(waiting.map((path) => ({ name: "sync", data: { path }, opts: options(SCHEDULED) })));
const worker = new Worker("starts", sync, { connection: connection(), concurrency });
await Promise.all([events.waitUntilReady(), worker.waitUntilReady()]);
const waits = [];
for (const path of asked) {
  await sleep(Math.random() * pause);
  const begun = performance.now();
  const job = await queue.add("sync", { path }, options(URGENT));
  await job.waitUntilFinished(events);
  waits.push(starts.get(job.id) - begun);
}
console.log(JSON.stringify(waits));
process.exit(0);
