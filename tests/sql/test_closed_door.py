"""What a query must not be able to do."""

import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gapless.errors import OwnLimit, UsageError
from gapless.sql import Limits, run_sql
from gapless.sql.session import Session
from sql.views import bars

SECRET = "only-in-the-file"
HOSTILE = """
select * from '{file}'
select * from "{file}"
select * from read_csv('{file}')
select * from read_csv_auto('{file}')
select * from read_text('{file}')
select * from READ_TEXT('{file}')
select * from system.main.read_text('{file}')
select * from read_blob('{file}')
select * from read_json('{file}')
select * from read_ndjson_objects('{file}')
select * from read_parquet('{file}')
select * from read_duckdb('{file}')
select * from parquet_scan('http://127.0.0.1:9/x.parquet')
select * from 'http://127.0.0.1:9/x.parquet'
select * from parquet_metadata('{file}')
select * from sniff_csv('{file}')
select * from glob('{folder}/*')
select (select content from read_text('{file}'))
select * from bars where exists (from read_text('{file}'))
select * from bars, lateral (select * from read_text(bars.symbol))
with a as (select * from read_text('{file}')) select * from a
with "{file}" as (select 1) select * from "{file}", (with b as (from '{folder}/x.csv') from b)
select * from (describe select * from read_text('{file}'))
describe select * from read_text('{file}')
summarize '{file}'
describe '{file}'
explain select * from read_text('{file}')
explain analyze select * from read_text('{file}')
explain analyze copy bars to '{folder}/out.csv'
explain /* /* */ select 1 -- */ select * from read_text('{file}')
explain (format json) select 1
copy bars to '{folder}/out.csv'
copy (select 1) to '{folder}/out.parquet' (format parquet)
copy bars from '{file}'
attach '{folder}/other.db'
attach ':memory:' as other
detach memory
use main
export database '{folder}/dump'
import database '{folder}'
install httpfs
load httpfs
force install httpfs from 'http://127.0.0.1:9'
create secret (type s3)
create table t (i int)
create temp table t as select 1
create or replace view bars as select 1
create macro f() as 1
create macro f() as table select * from read_text('{file}')
create type mood as enum ('a')
create sequence s
insert into bars values (1)
update bars set close = 0
delete from bars
truncate bars
drop view bars
alter view bars rename to b
comment on view bars is 'x'
merge into bars using bars as b on true when matched then delete
with x as (insert into bars values (1) returning 1) select * from x
with x as (delete from bars) from x
pragma version
pragma database_list
set threads = 64
set enable_external_access = true
set lock_configuration = false
set global temp_directory = '{folder}'
reset lock_configuration
set variable a = 1
call duckdb_settings()
call enable_logging()
prepare p as select 1
execute p
begin
vacuum
checkpoint
analyze
select 1; select 2
select 1; copy bars to '{folder}/out.csv'
pivot bars on symbol using count(*)
select * from query('select 1')
select * from query_table('bars')
select * from json_execute_serialized_sql('{{}}')
select * from duckdb_secrets()
select * from duckdb_settings()
select * from duckdb_settings
select * from duckdb_logs
from pg_catalog.pg_settings
from information_schema.tables
from sqlite_master
from memory.main.bars
from pragma_version()
from arrow_scan(1::pointer, 2::pointer, 3::pointer)
from python_arrow_scan(1, 2, 3)
from pandas_scan(1)
from seq_scan('bars')
from which_secret('a', 's3')
from test_all_types()
select getenv('HOME')
select current_setting('secret_directory')
select CURRENT_SETTING('home_directory')
select getvariable('a')
select write_log('x')
select sleep_ms(1)
select error('x')
select no_such_function('x')
show databases
show all tables
show variables
show functions
describe
select $1
select ?
-- nothing
;
not sql at all
""".strip().splitlines()


@pytest.mark.parametrize("hostile", ["", *HOSTILE])
def test_a_query_that_does_more_than_read_the_views_is_refused(hostile: str, tmp_path: Path) -> None:
    """Whatever it tries, it is told so in words, and the folder is as it was."""
    file = tmp_path / "secret.csv"
    file.write_text(SECRET)

    with pytest.raises(UsageError) as refused:
        run_sql(hostile.format(file=file, folder=tmp_path), {"bars": bars()})

    assert refused.value.message
    assert refused.value.hint
    assert SECRET not in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]
    assert file.read_text() == SECRET


PARTS = """select from with as where in exists ( ) , * . ; = 1 'x' bars a b "bars" $1 {{}} [1] -> -- explain analyze
describe show tables summarize pivot on using insert into values union all lateral join order by limit
recursive materialized read_text('{file}') '{file}' copy to attach query('select1') set pragma
create table call install""".split()


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.lists(st.sampled_from(PARTS), max_size=12),
    start=st.sampled_from(["", "select", "from", "with a as ("]),
)
def test_no_heap_of_words_gets_through(parts: list[str], start: str, tmp_path: Path) -> None:
    """Whatever stands behind what, a query reads the views or is refused in words; no file is read or made."""
    file = tmp_path / "secret.csv"
    file.write_text(SECRET)
    try:
        found = str(run_sql(" ".join([start, *parts]).format(file=file), {"bars": bars()}).rows)
    except UsageError as error:
        found = error.message

    assert SECRET not in found
    assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]


@pytest.mark.parametrize(
    "hostile",
    [
        "select * from '{file}'",
        "select * from read_text('{file}')",
        "select * from glob('{folder}/*')",
        "copy (select 1) to '{folder}/out.csv'",
        "attach '{folder}/other.db'",
        "export database '{folder}/dump'",
        "install httpfs",
        "load httpfs",
        "from 'http://127.0.0.1:9/x.parquet'",
        "create persistent secret x (type http)",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "pragma enable_profiling",
        "call enable_logging(storage = 'file', storage_path = '{folder}/log')",
        "from hostile",
    ],
)
def test_behind_the_door_is_another_one(hostile: str, tmp_path: Path) -> None:
    """DuckDB would refuse by itself what gets past the look at the query."""
    file = tmp_path / "secret.csv"
    file.write_text(SECRET)
    session = Session(Limits())

    with pytest.raises(duckdb.Error):
        session.call(lambda door: door.execute(hostile.format(file=file, folder=tmp_path)).fetchall())

    session.close()
    assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]


def test_bytes_that_are_no_text_are_refused() -> None:
    """A shell hands them through; DuckDB has no word for them."""
    with pytest.raises(UsageError, match="Character 9"):
        run_sql("select '\udcff'", {})


def test_names_of_the_program_are_no_tables() -> None:
    """DuckDB would take a variable of the calling code for a table; here it does not look."""
    wallet = pa.table({"coins": [1]})

    with pytest.raises(UsageError, match="no view `wallet`"):
        run_sql("select * from wallet", {"bars": bars()})

    assert wallet.num_rows == 1


def test_the_name_of_a_part_of_the_query_opens_no_file(tmp_path: Path) -> None:
    """A name that WITH gives somewhere else does not let a path of the same name through."""
    file = tmp_path / "secret.csv"
    file.write_text(SECRET)

    with pytest.raises(UsageError) as refused:
        run_sql(f'select * from (with "{file}" as (select 1) from "{file}") a, "{file}" b', {})

    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "query",
    [
        "select " + "(" * 40_000 + "1" + ")" * 40_000,
        "from (" * 5_000 + "select 1" + ")" * 5_000,
        "select " + "+".join(["1"] * 900),
        "select '" + "x" * 100_000 + "'",
        "select " + "(" * 400_000,
    ],
    ids=["brackets", "subqueries", "sums", "long", "endless"],
)
def test_a_query_too_deep_to_be_looked_through_is_refused(query: str) -> None:
    """It is refused in words; it neither runs unseen nor ends the process."""
    with pytest.raises(UsageError):
        run_sql(query, {})


def test_memory_is_bounded_and_nothing_is_spilled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit is stopped and says how to make it fit; no file appears."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(OwnLimit, match="64 MiB") as stopped:
        run_sql(
            "select i, hash(i) h from range(20_000_000) t(i) order by h offset 19_000_000",
            {},
            limits=Limits(memory=64, rows=None),
        ).arrow()

    assert "Narrow" in stopped.value.hint
    assert list(tmp_path.iterdir()) == []


def test_the_door_alone_loads_no_database() -> None:
    """DuckDB and pyarrow are extras: they are loaded by the first query."""
    import subprocess

    code = "import sys, gapless.sql; print(*sorted({'duckdb', 'pyarrow', 'pandas', 'polars'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert run.stdout.split() == []
