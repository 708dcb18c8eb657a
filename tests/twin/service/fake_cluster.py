"""A Ray cluster of several nodes that this machine plays: fake_cluster.py. Says the address of its head, then obeys.

In a process of its own: Ray forks. Standard input: "add CPUS GPUS" answers with the number of the node, "remove NUMBER"
kills one. It ends with its standard input.
"""

from __future__ import annotations

import sys

from ray.cluster_utils import Cluster

SMALL = {"object_store_memory": 80 << 20, "include_dashboard": False}


def say(word: object) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, **SMALL})
    say(cluster.address)
    nodes = []
    for line in sys.stdin:
        order, *numbers = line.split()
        if order == "add":
            cpus, gpus = map(int, numbers)
            nodes.append(cluster.add_node(num_cpus=cpus, num_gpus=gpus, **SMALL))
            say(len(nodes) - 1)
        else:
            cluster.remove_node(nodes[int(numbers[0])], allow_graceful=False)
            say("removed")
    cluster.shutdown()
