"""The effective configuration: scopes, servers, locations, upstream groups, and the route simulator."""
