"""The page of the catalogue: what is found, how to have it, and what it never does."""

from __future__ import annotations

import re
from html import unescape

import pytest
from starlette.testclient import TestClient
from web.pages import client_of, seen

from sbf_core.home.home import Home
from sbf_core.settings.settings import Settings
from sbf_core.web.site import Site


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    """A home in which nothing ever ran."""
    return client_of(Site(Home(Settings(tmp_path_factory.mktemp("home")))))


def ids(text: str) -> list[str]:
    """What a page lists, in its order."""
    return [unescape(each) for each in re.findall(r"</span> <code>(.*?)</code> of ", text)]


def test_what_is_found_and_how_to_have_it(client: TestClient) -> None:
    page = client.get("/catalogue?search=yield+curve").text
    assert ids(page)[:2] == ["rates/treasury/par_yield_curve", "ECB/YC"]
    text = seen(page).text
    assert "append to sbf.toml, then `sbf run --plugins sdmx --select statistics/ecb/yc`" in text
    assert '[options.sdmx]\nflows = ["ECB/YC/' in unescape(page)
    assert '<a href="/datasets/treasury_par_yield">Daily Treasury par yield curve rates</a>' in page
    assert "No vendor is asked by this page." in text
    assert "sbf datasets --search 'yield curve' --ask abs,bis" in text


def test_filters_are_kept_and_told(client: TestClient) -> None:
    page = client.get("/catalogue?region=germany&frequency=day&cost=free&terms=reuse").text
    assert ids(page)[:4] == ["BUNDESBANK/BBEX3", "BUNDESBANK/BBSIS", "fx/ecb/reference_rates", "ECB/EST"]
    assert "macro/fred" not in seen(page).text
    for chosen in ('value="DE" selected', 'value="day" selected', 'value="free" selected', 'value="reuse"'):
        assert chosen in page


def test_all_of_it_a_page_at_a_time(client: TestClient) -> None:
    first, second = (client.get(f"/catalogue?page={page}").text for page in (1, 2))
    assert len(ids(first)) == len(ids(second)) == 25
    assert not set(ids(first)) & set(ids(second))
    assert 'href="?page=2"' in first
    assert client.get("/catalogue?search=rate&page=2").status_code == 200


def test_what_to_try_where_nothing_is_found(client: TestClient) -> None:
    text = seen(client.get("/catalogue?search=yeild+curve&cost=paid").text).text
    assert "0 datasets: nothing is as you say." in text
    assert "did you mean `sbf datasets --search 'yield curve'`?" in text


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("region=nowhere", 400, "there is no region 'nowhere'"),
        ("frequency=often", 400, "there is no frequency 'often'"),
        ("page=0", 400, "is no number from 1 on"),
        ("search=%3Cscript%3Ealert(1)%3C/script%3E", 200, "&lt;script&gt;alert(1)"),
        ("terms=%22%3E%3Cscript%3E", 200, "&#34;&gt;&lt;script&gt;"),
    ],
)
def test_odd_questions(client: TestClient, query: str, status: int, said: str) -> None:
    answer = client.get(f"/catalogue?{query}")
    assert answer.status_code == status
    assert said in unescape(answer.text) if status == 400 else said in answer.text
    assert "<script>alert" not in answer.text
