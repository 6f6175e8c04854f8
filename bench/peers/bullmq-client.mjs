// bullmq-client.mjs drain COUNT BATCH | paced RATE SECONDS
import { Queue, QueueEvents } from 'bullmq'
import { drain, paced, sleep } from './measure.mjs'

const connection = { host: '127.0.0.1', port: Number(process.env.REDIS_PORT), maxRetriesPerRequest: null }
const queue = new Queue('bench', { connection, defaultJobOptions: { removeOnComplete: true } })
const [mode, first, second] = process.argv.slice(2)

if (mode === 'drain') {
  const count = Number(first)
  await queue.waitUntilReady()
  await drain({
    count,
    batch: Number(second),
    width: 64,
    one: (event) => queue.add('noop', event),
    many: (events) => queue.addBulk(events.map((data) => ({ name: 'noop', data }))),
    isEmpty: async () => {
      const counts = await queue.getJobCounts('waiting', 'active')
      return counts.waiting + counts.active === 0
    },
  })
} else {
  const events = new QueueEvents('bench', { connection })
  await events.waitUntilReady()
  await sleep(300) // its first blocking read begins after it is ready
  let announce = () => {}
  events.on('completed', ({ jobId }) => announce(jobId))
  await paced({
    rate: Number(first),
    seconds: Number(second),
    send: async (_i, completed) => {
      announce = completed
      return (await queue.add('noop', { n: 1 })).id
    },
  })
  await events.close()
}
await queue.close()
