// The no-op for Restate: PORT is where its server reaches this process. The SDK is loaded after the one function that
// it expects of newer Node.js versions is there.
Promise.withResolvers ??= () => {
  const made = {}
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }))
  return made
}

const restate = await import('@restatedev/restate-sdk')
const bench = restate.service({
  name: 'bench',
  handlers: { noop: async (_context, event) => event },
})

await restate.serve({ services: [bench], port: Number(process.env.PORT) })
