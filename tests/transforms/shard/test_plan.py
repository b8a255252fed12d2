import numpy as np
import pyarrow as pa

from transforms.shard.plan import MEASURES, in_reading_order


def test_documents_of_a_part_are_read_by_rank():
    columns = {name: np.zeros(4, np.int64) for name in MEASURES.names}
    columns |= {"rank": np.array([2, 0, 3, 1]), "length": np.array([1, 2, 3, 4])}
    arrays = [pa.array(columns[field.name]).cast(field.type) for field in MEASURES]
    batch = pa.RecordBatch.from_arrays(arrays, schema=MEASURES)
    assert in_reading_order(batch)["length"].to_pylist() == [2, 4, 1, 3]
