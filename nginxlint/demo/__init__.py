"""The embedded demo: upstreams with every fault on loopback, a scripted DNS server and a shop to check against them."""
