// graphile-client.mjs drain COUNT BATCH | paced RATE SECONDS. Graphile announces completions only inside its worker, so
// `paced` runs the worker in this process, and its `job:complete` event is the end of a job.
import { makeWorkerUtils, run } from 'graphile-worker'
import pg from 'pg'
import { options } from './graphile-options.mjs'
import { drain, paced } from './measure.mjs'

const [mode, first, second] = process.argv.slice(2)
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 64 })
const add = 'select (graphile_worker.add_job($1, $2::json)).id'

if (mode === 'drain') {
  const utils = await makeWorkerUtils({ pgPool: pool, logger: options(1).logger })
  await drain({
    count: Number(first),
    batch: Number(second),
    width: 64,
    one: (event) => pool.query(add, ['noop', event]),
    many: (events) => utils.addJobs(events.map((payload) => ({ identifier: 'noop', payload }))),
    isEmpty: async () => {
      const left = await pool.query('select 1 from graphile_worker._private_jobs limit 1')
      return left.rowCount === 0
    },
  })
  await utils.release()
} else {
  const runner = await run({ ...options(1), taskList: { noop: async () => {} } })
  let announce = () => {}
  runner.events.on('job:complete', ({ job }) => announce(String(job.id)))
  await paced({
    rate: Number(first),
    seconds: Number(second),
    send: async (_i, completed) => {
      announce = completed
      return String((await pool.query(add, ['noop', { n: 1 }])).rows[0].id)
    },
  })
  await runner.stop()
}
await pool.end()
