"""Domains that addresses of mail can have, and addresses that are nobody's."""

from __future__ import annotations

import re

_COUNTRIES = (
    "ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs "
    "bt bw by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee "
    "eg er es et eu fi fj fk fm fo fr ga gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm "
    "hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb "
    "lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz "
    "na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs "
    "ru rw sa sb sc sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl "
    "tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw"
)
"""ISO 3166-1, as delegated."""

_GENERIC = (
    "academy agency amsterdam app art asia bank bar berlin best bike biz blog build business "
    "cafe camp capital care cash cat center chat church city click cloud club codes coffee com "
    "community company computer consulting coop design dev digital edu email energy engineer "
    "engineering expert family finance fm foundation fun fund fyi games global gmbh gov group guru "
    "health help host house info ink institute int international jobs land law legal life limited "
    "link live llc love ltd management market marketing media mil mobi moe money museum name "
    "network net news ninja one online org page paris partners plus post press pro productions "
    "pub red rocks run school science services shop site social software solutions space store "
    "studio support swiss systems team tech technology tel tips today tools top tours town trade "
    "training travel university vip wiki work works world wtf xyz zone"
)
"""Of the 1,200 others those that people have mail at; google's and brands' own are left out."""

TOP_LEVEL = frozenset(f"{_COUNTRIES} {_GENERIC}".encode().split())

# RFC 2606; the last two are what documentation means by it.
_RESERVED = (
    b"example.com",
    b"example.net",
    b"example.org",
    b"example.edu",
    b"example.co.uk",
)
NOBODY = frozenset(
    b"noreply no-reply donotreply do-not-reply no_reply git hg svn nobody mailer-daemon".split()
)
"""Local parts that nobody reads or that are accounts of servers."""

# Algorithms of SSH that are no standard are named like addresses (RFC 4251, section 6).
_ALGORITHMS = re.compile(rb"(?:.*[0-9-].*|zlib)@(?:openssh\.com|libssh\.org)")

RESOLVERS = frozenset(
    b"208.67.222.222 208.67.220.220 149.112.112.112 94.140.14.14 76.76.2.22 "
    b"2001:4860:4860::8888 2001:4860:4860::8844 2606:4700:4700::1111 2606:4700:4700::1001 "
    b"2620:fe::fe 2620:fe::9".split()
)
"""Public resolvers of names, which tell nothing about anybody."""


def is_somebodys(address: bytes) -> bool:
    """Whether an address of mail can exist and is not one that documentation made up."""
    local, _, domain = address.lower().rpartition(b"@")
    if domain.rpartition(b".")[2] not in TOP_LEVEL or local in NOBODY:
        return False
    if _ALGORITHMS.fullmatch(address.lower()):
        return False
    return not any(domain == name or domain.endswith(b"." + name) for name in _RESERVED)
