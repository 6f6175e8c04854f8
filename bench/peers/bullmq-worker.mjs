// One BullMQ worker process with the no-op. REDIS_PORT: which redis-server.
import { Worker } from 'bullmq'

const connection = { host: '127.0.0.1', port: Number(process.env.REDIS_PORT), maxRetriesPerRequest: null }
const worker = new Worker('bench', async (job) => job.data, { connection, concurrency: 100 })
await worker.waitUntilReady()
console.log('ready')
