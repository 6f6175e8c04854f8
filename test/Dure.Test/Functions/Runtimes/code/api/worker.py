"""Stands for the worker: takes the listener out of the sandbox and answers one request on it."""
import socket
import sys

door = socket.socket(socket.AF_UNIX)
door.bind(sys.argv[1] + "/listener.sock")
door.listen(1)
print("ready", flush=True)
link, _ = door.accept()
byte, descriptors, _, _ = socket.recv_fds(link, 1, 1)
listener = socket.socket(fileno=descriptors[0])
caller, _ = listener.accept()
request = caller.recv(4096).split(b"\r\n")[0]
body = b"you asked: " + request
caller.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
caller.close()
