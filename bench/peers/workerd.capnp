# The no-op for workerd; its address is given on the command line (--socket-addr http=...).
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "noop", worker = .noop)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "noop")],
);

const noop :Workerd.Worker = (
  modules = [(name = "noop.js", esModule = embed "workerd-noop.js")],
  compatibilityDate = "2025-01-01",
);
