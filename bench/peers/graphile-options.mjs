// How graphile-worker runs: `batch` jobs are fetched at once (1: each by itself, told by LISTEN/NOTIFY), and finished
// jobs are completed together as soon as the database is free, as its documentation advises for throughput.
import { Logger } from 'graphile-worker'

export const options = (batch) => ({
  connectionString: process.env.DATABASE_URL,
  logger: new Logger(() => (level, message) => level === 'error' && console.error(message)),
  maxPoolSize: 20,
  preset: {
    worker: {
      concurrentJobs: batch > 1 ? 24 : 10,
      ...(batch > 1 && { localQueue: { size: batch }, completeJobBatchDelay: 0, failJobBatchDelay: 0 }),
    },
  },
})
