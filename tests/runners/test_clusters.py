from runners.clusters.flink import LocalFlink
from runners.clusters.spark import LocalSpark
from runners.members import Members, free_port


def test_a_cluster_that_does_not_answer_yet_has_nobody(tmp_path):
    port = free_port()
    members = Members(tmp_path)
    assert LocalFlink(members, tmp_path, f"127.0.0.1:{port}").slots() == 0
    assert LocalSpark(members, tmp_path, "spark://127.0.0.1:1", port).workers() == 0
