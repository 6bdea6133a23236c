"""The bulk load and the plans that are read."""

import asyncpg
import pytest

from bench.scenarios.queries import QUESTIONS, rows, touched


@pytest.mark.parametrize("name", list(rows))
async def test_every_bulk_load_fits_the_schema(name, database_url):
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "sendonce"})
    try:
        await connection.prepare(rows[name])
    finally:
        await connection.close()


@pytest.mark.parametrize("name", list(QUESTIONS))
def test_every_question_is_one_the_store_asks(name):
    assert QUESTIONS[name].sql


def test_rows_a_scan_throws_away_are_rows_it_touched():
    index = {"Node Type": "Index Scan", "Actual Rows": 2, "Actual Loops": 3}
    table = {
        "Node Type": "Seq Scan",
        "Actual Rows": 10,
        "Actual Loops": 1,
        "Rows Removed by Filter": 90,
    }
    join = {"Node Type": "Hash Join", "Actual Rows": 6, "Actual Loops": 1, "Plans": [index, table]}

    assert touched(join) == 106
