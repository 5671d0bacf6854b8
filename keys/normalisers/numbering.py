"""How telephone numbers are dialled in each region, as `e164.1` reads them.  Pure data.

It never changes, because terms depend on it; a new plan is a new version.

Each entry: country calling code, trunk prefix, international prefix (- for none that is one fixed string), lengths of
a national number without its prefix, regions.  Facts from the metadata of libphonenumber (Apache-2.0), release 9.0.43;
regions are left out whose numbers this simple form would misread (Argentina, Belarus).
"""

from __future__ import annotations

from dataclasses import dataclass

_PLANS = """
1 1 011 10 AG AI AS BB BM BS CA DM DO GD GU JM KN KY LC MP MS PR SX TC TT US VC VG VI
20 0 00 8-10 EG
211 0 00 9 SS
212 0 00 9 EH MA
213 0 00 8,9 DZ
216 - 00 8 TN
218 0 00 9 LY
220 - 00 7,9 GM
221 - 00 9 SN
222 - 00 8 MR
223 - 00 8 ML
224 - 00 8,9 GN
225 - 00 10 CI
226 - 00 8 BF
227 - 00 8 NE
228 - 00 8 TG
229 - 00 10 BJ
230 - 020 7,8,10 MU
231 0 00 7-9 LR
232 0 00 8 SL
233 0 00 8,9 GH
234 0 009 10-14 NG
235 - 00 8 TD
236 - 00 8 CF
237 - 00 8,9 CM
238 - 0 7 CV
239 - 00 7 ST
240 - 00 9 GQ
241 - 00 7,8 GA
242 - 00 9 CG
243 0 00 7-10 CD
244 - 00 9 AO
245 - 00 7,9 GW
246 - 00 7 IO
247 - 00 5,6 AC
248 - 00 7 SC
249 0 00 9 SD
250 0 00 8,9 RW
251 0 00 9 ET
252 0 00 6-9 SO
253 - 00 8 DJ
254 0 000 7-10 KE
255 0 - 9 TZ
256 0 - 9 UG
257 - 00 8 BI
258 - 00 8,9 MZ
260 0 00 9 ZM
261 0 00 9 MG
262 0 00 9 RE YT
263 0 00 7,9,10 ZW
264 0 00 8,9 NA
265 0 00 7,9 MW
266 - 00 8 LS
267 - 00 7,8,10 BW
268 - 00 8,9 SZ
269 - 00 7 KM
27 0 00 5-10 ZA
290 - 00 4,5 SH
290 - 00 4 TA
291 0 00 7 ER
297 - 00 7 AW
298 - 00 6 FO
299 - 00 6 GL
30 - 00 10-12 GR
31 0 00 5-11 NL
32 0 00 8,9 BE
33 0 00 9 FR
34 - 00 9 ES
350 - 00 8 GI
351 - 00 9 PT
352 - 00 4-11 LU
353 0 00 7-10 IE
354 - 00 7,9 IS
355 0 00 6-9 AL
356 - 00 8 MT
357 - 00 8 CY
358 0 00 5-12 AX FI
359 0 00 6,7,8,9,12 BG
36 06 00 8,9 HU
370 0 00 8 LT
371 - 00 8 LV
372 - 00 7,8,10 EE
373 0 00 8 MD
374 0 00 8 AM
376 - 00 6,8,9 AD
377 0 00 8,9 MC
378 - 00 8,10 SM
380 0 00 9,10 UA
381 0 00 6-12 RS
382 0 00 8,9 ME
383 0 00 8-12 XK
385 0 00 7-9 HR
386 0 00 5-8 SI
387 0 00 8,9 BA
389 0 00 8 MK
39 - 00 6-12 IT VA
40 0 00 6,9 RO
41 0 00 9,12 CH
420 - 00 9-12 CZ
421 0 00 6,7,9 SK
423 0 00 7,9 LI
43 0 00 4-13 AT
44 0 00 7,9,10 GB GG
44 0 00 10 IM JE
45 - 00 8 DK
46 0 00 6,7,8,9,10,12 SE
47 - 00 5,8 NO SJ
48 - 00 6-10 PL
49 0 00 4-15 DE
500 - 00 5 FK
501 - 00 7,11 BZ
502 - 00 8,11 GT
503 - 00 7,8,11 SV
504 - 00 8,11 HN
505 - 00 8 NI
506 - 00 8,10 CR
507 - 00 7,8,10,11 PA
508 0 00 6,9 PM
509 - 00 8 HT
51 0 00 8,9 PE
52 - 00 10 MX
53 0 119 6,7,8,10 CU
55 0 - 8-11 BR
56 - - 9-11 CL
57 0 - 8,10,11 CO
58 0 00 10 VE
590 0 00 9 BL GP MF
591 0 - 8,9 BO
592 - 001 7 GY
593 0 00 8-11 EC
594 0 00 9 GF
595 0 00 6-11 PY
596 0 00 9 MQ
597 - 00 6,7 SR
598 0 00 4-13 UY
599 - 00 7 BQ
599 - 00 7,8 CW
60 0 00 8-10 MY
61 0 0011 5,6,7,8,9,10,12 AU
61 0 0011 6,7,8,9,10,12 CC CX
62 0 - 7-17 ID
63 0 00 6,8,9,10,11,12,13 PH
64 0 00 5-10 NZ
65 - - 8,10,11 SG
66 0 - 8,9,10,13 TH
670 - 00 7,8 TL
672 - 00 6 NF
673 - 00 7 BN
674 - 00 7 NR
675 - 00 7,8 PG
676 - 00 5,7 TO
677 - - 5,7 SB
678 - 00 5,7 VU
679 - 00 7,11 FJ
680 - - 7 PW
681 - 00 6,9 WF
682 - 00 5 CK
683 - 00 4,7 NU
685 - 0 5,6,7,10 WS
686 0 00 5,8 KI
687 - 00 6 NC
688 - 00 5-7 TV
689 - 00 6,8,9 PF
690 - 00 4-7 TK
691 - 00 7 FM
692 1 011 7 MH
7 8 810 10 KZ RU
81 0 010 8-17 JP
82 0 - 5,6,8,9,10,11,12,13,14 KR
84 0 00 7-10 VN
850 0 - 8,10 KP
852 - 00 5,6,7,8,9,11 HK
853 - 00 7,8 MO
855 0 - 8-10 KH
856 0 00 8-10 LA
86 0 00 7-12 CN
880 0 00 6-10 BD
886 0 - 7-11 TW
90 0 00 7,10,12,13 TR
91 0 00 8-13 IN
92 0 00 8-12 PK
93 0 00 9 AF
94 0 00 9 LK
95 0 00 6-10 MM
960 - 00 7,10 MV
961 0 00 7,8 LB
962 0 00 8,9 JO
963 0 00 8,9 SY
964 0 00 8-10 IQ
965 - 00 7,8 KW
966 0 00 9,10 SA
967 0 00 7-9 YE
968 - 00 7-9 OM
970 0 00 8-10 PS
971 0 00 5-12 AE
972 0 - 7-12 IL
973 - 00 8 BH
974 - 00 7,8,9,11 QA
975 - 00 7,8 BT
976 0 001 8-10 MN
977 0 00 8,10,11 NP
98 0 00 4,5,6,7,10 IR
992 - 810 9 TJ
993 8 810 8 TM
994 0 00 9 AZ
995 0 00 9 GE
996 0 00 9,10 KG
998 - 00 9 UZ
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """Digits throughout; `lengths` are those of a national (significant) number."""

    country: str
    trunk: str
    international: str
    lengths: frozenset[int]


def _read(table: str) -> dict[str, Plan]:
    plans = {}
    for line in table.replace("\n  ", " ").split("\n"):
        if not line:
            continue
        country, trunk, international, lengths, *regions = line.split(" ")
        plan = Plan(country, trunk.strip("-"), international.strip("-"), _lengths(lengths))
        plans.update(dict.fromkeys(regions, plan))
    return plans


def _lengths(written: str) -> frozenset[int]:
    parts = (part.partition("-") for part in written.split(","))
    return frozenset(n for first, _, last in parts for n in range(int(first), int(last or first) + 1))


PLANS: dict[str, Plan] = _read(_PLANS)
"""By region (ISO 3166-1 alpha-2)."""
