"""Clusters of Flink and Spark on this machine's loopback interface, to try and to test with.

They are real: the processes, the network protocol and what happens when one dies are those of a
cluster of many machines. `python -m runners.clusters --help` starts one.
"""
