"""The wire contract: protos/twin/v1/*.proto and the stubs generated from them."""
