// One graphile-worker process with the no-op, fetching and completing in batches. DATABASE_URL: which cluster.
import { run } from 'graphile-worker'
import { options } from './graphile-options.mjs'

await run({ ...options(500), taskList: { noop: async () => {} } })
console.log('ready')
