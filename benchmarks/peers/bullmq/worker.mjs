// Add the jobs of a file, one a line, to a queue; then work on them and exit.
// `node worker.mjs empty|tiny CONCURRENCY FILE`. One PostgreSQL connection per job in progress, prepared
// statements, keep-alive fetch, nothing kept of what is done: its best settings.
import { readFileSync } from "node:fs";
import { Queue, Worker } from "bullmq";
import IORedis from "ioredis";
import pg from "pg";

const [kind, concurrency] = [process.argv[2], Number(process.argv[3])];
const jobs = readFileSync(process.argv[4], "utf8").split("\n");
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: concurrency });
const connection = () => new IORedis(process.env.PEER_REDIS_URL, { maxRetriesPerRequest: null });
const queue = new Queue("peer", { connection: connection() });

const HISTORY = {
  name: "history",
  text: "INSERT INTO peer_history (job, state, started_at) VALUES ($1, 'succeeded', $2)",
};
const CAMPAIGNS = {
  name: "campaigns",
  text: `INSERT INTO peer_campaign (account, external_id, name, status, raw)
    SELECT $1, row->>'id', row->>'name', row->>'status', row FROM jsonb_array_elements($2::jsonb) row
    ON CONFLICT (account, external_id) DO UPDATE
    SET name = excluded.name, status = excluded.status, raw = excluded.raw, synced_at = now()`,
};

async function empty(job) {
  await pool.query({ ...HISTORY, values: [job.id, new Date()] });
}

async function tiny(job) {
  const started = new Date();
  const answer = await fetch(process.env.SANDBOX_URL + job.data.path, {
    headers: { Authorization: `Bearer ${process.env.SANDBOX_TOKEN}` },
  });
  if (!answer.ok) throw new Error(`the sandbox answered ${answer.status}`);
  const body = await answer.json();
  await pool.query({ ...CAMPAIGNS, values: [job.data.path, JSON.stringify(body.data)] });
  await pool.query({ ...HISTORY, values: [job.id, started] });
}

const options = { removeOnComplete: true, removeOnFail: true };
for (let start = 0; start < jobs.length; start += 1000) {
  await queue.addBulk(
    jobs.slice(start, start + 1000).map((path) => ({ name: kind, data: { path }, opts: options })),
  );
}
await Promise.all(Array.from({ length: concurrency }, () => pool.query("SELECT 1")));

const worker = new Worker("peer", kind === "tiny" ? tiny : empty, {
  connection: connection(),
  concurrency,
});
let done = 0;
await new Promise((resolve, reject) => {
  worker.on("failed", (_, error) => reject(error));
  worker.on("completed", () => (done += 1) === jobs.length && resolve());
});
await worker.close();
await pool.end();
process.exit(0);
