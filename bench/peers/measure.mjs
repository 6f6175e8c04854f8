// What the Node.js clients share: the monotonic clock, keeping a number of calls in flight, a fixed rate, percentiles.
export const nowNs = () => Number(process.hrtime.bigint())
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

export async function inFlight(count, width, call) {
  let next = 0
  const line = async () => {
    while (next < count) await call(next++)
  }
  await Promise.all(Array.from({ length: width }, line))
}

// Enqueues COUNT events, `batch` in one call, then asks every 2 ms whether the queue is empty.
export async function drain({ count, batch, width, one, many, isEmpty }) {
  const firstNs = nowNs()
  if (batch > 1) {
    await inFlight(Math.ceil(count / batch), 4, () => many(Array.from({ length: batch }, () => ({ n: 1 }))))
  } else {
    await inFlight(count, width, () => one({ n: 1 }))
  }
  const acknowledgedNs = nowNs()
  while (!(await isEmpty())) await sleep(2)
  console.log(JSON.stringify({ jobs: count, first_ns: firstNs, acknowledged_ns: acknowledgedNs, idle_ns: nowNs() }))
}

// `send(id)` enqueues one event; `completed(id)` must be called when its completion has been announced.
export async function paced({ rate, seconds, send }) {
  const count = rate * seconds
  const sent = new Map()
  const times = { acknowledged_us: [], done_us: [] }
  const early = new Map()
  const completed = (id) => {
    if (sent.has(id)) times.done_us.push((nowNs() - sent.get(id)) / 1000)
    else early.set(id, nowNs())
  }
  const calls = []
  const start = performance.now()
  for (let i = 0; i < count; i++) {
    const wait = start + (i * 1000) / rate - performance.now()
    if (wait > 0) await sleep(wait)
    const at = nowNs()
    calls.push(
      send(i, completed).then((id) => {
        times.acknowledged_us.push((nowNs() - at) / 1000)
        if (early.has(id)) times.done_us.push((early.get(id) - at) / 1000)
        else sent.set(id, at)
      }),
    )
  }
  await Promise.all(calls)
  for (let i = 0; i < 2000 && times.done_us.length < count; i++) await sleep(10)
  console.log(JSON.stringify({ jobs: count, lost: count - times.done_us.length, ...spreads(times) }))
}

function spreads(times) {
  return Object.fromEntries(Object.entries(times).map(([name, values]) => [name, spread(values)]))
}

function spread(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share) => sorted[Math.floor(sorted.length * share)]
  return { p50: at(0.5), p99: at(0.99), min: sorted[0], max: sorted.at(-1), count: sorted.length }
}
