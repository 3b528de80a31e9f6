"""The mechanisms of caching and offloading: what each is like in everyday terms, what it says of nodes, what it becomes in code.

To add one: an entry here whose ``parts`` name structures and rules; if it needs a new one, a function in
``structures.py`` or ``rules.py``. Nothing else changes.
"""

from __future__ import annotations

from problems.composing import Mechanism
from problems.composing import entry as _m

_HOW_LONG = ("a short while", "a good while", "a long while")
_HOW_MUCH = ("a little", "clearly", "very much")
_HOW_FEW = ("hardly any", "few", "a good part")
_HOW_OFTEN = ("seldom", "now and then", "often")

MECHANISMS: tuple[Mechanism, ...] = (
    _m("tally", "counts leaf_power", _HOW_LONG,
       "tally, counting, abacus, score, votes, census, ledger, notches, arithmetic, ballot",
       "Every use of a node is tallied in its word and counts for {amount}."),
    _m("absence", "misses leaf_again", _HOW_LONG,
       "absence, missing, longing, empty chair, homesick, call in vain, lost child, wanted poster, gap, mourning",
       "Only a node's absences are counted, for {amount}; what is there costs nothing."),
    _m("trace", "stamps victim_heat", _HOW_LONG,
       "trace, footprint, fresh snow, scent, warmth of a chair, fingerprint, wake of a ship, echo, embers, dust",
       "A node's last use leaves a trace that stays for {amount}."),
    _m("rhythm", "gaps leaf_bar", _HOW_LONG,
       "rhythm, pulse, drum, tide, season, clockwork, heartbeat, dance, cycle, pendulum",
       "A node is known by the time between its uses, over {amount}."),
    _m("doorman", "leaf_few bend_family", _HOW_FEW,
       "doorman, guest list, velvet rope, gate, customs, filter, sieve, narrow door, bouncer, lottery",
       "A doorman lets {amount} of the missing leaves in."),
    _m("contest", "leaf_bar victim_heat", _HOW_MUCH,
       "contest, duel, tournament, rival, challenge, race, competition, election, wrestling, auction",
       "A leaf comes in only if it is {amount} better than what would go."),
    _m("second_visit", "leaf_again misses", _HOW_OFTEN,
       "second visit, regular guest, acquaintance, habit, return, repeat customer, reunion, familiar face, friend, comeback",
       "Strangers are let in {amount}, those who come back always."),
    _m("merit", "leaf_power counts", _HOW_MUCH,
       "merit, promotion, wages, reward, fame, reputation, ladder of success, prize, honour, career",
       "The more a leaf is used, the better its chance, {amount}."),
    _m("hunger", "leaf_hunger leaf_few", _HOW_MUCH,
       "hunger, famine, drought, migration, nomads, change of season, flood, appetite, upheaval, fashion",
       "When hits fall, the cache is hungry and takes in {amount} more."),
    _m("ink", "bend_write victim_clean", _HOW_MUCH,
       "ink, pen, letter, paint, mud, stain, signature, diary, scar, tattoo",
       "Leaves that are written count {amount}."),
    _m("crowd", "bend_scan leaf_few", _HOW_FEW,
       "crowd, parade, tourists, train passing, swarm, locusts, procession, caravan, herd, river",
       "Of what a scan passes, {amount} is kept."),
    _m("family", "bend_family bend_parent", _HOW_MUCH,
       "family, siblings, litter, clan, nest, brood, cousins, household, tribe, school of fish",
       "A leaf whose siblings are here is {amount} welcome."),
    _m("shade", "bend_parent leaf_power", _HOW_MUCH,
       "shade, big tree, crown, shadow, umbrella, canopy, elder, patron, roof, giant",
       "Under a parent that serves many, one leaf is worth less, {amount}."),
    _m("ferry", "offload_cost offload_window", _HOW_MUCH,
       "ferry, postman, errand, messenger, delegate, taxi, servant, delivery, pigeon, embassy",
       "An errand is sent when it is {amount} cheaper than to go oneself."),
    _m("apprentice", "offload_window offload_cost", _HOW_OFTEN,
       "apprentice, experiment, curiosity, scientist, trial, exploration, test, learning, laboratory, scout",
       "{amount} the other way is tried, to know what it takes."),
    _m("stranger", "offload_cold offload_cost", _HOW_MUCH,
       "stranger, hotel, rent, library, borrowing, remote village, pilgrim, hermit, rare book, archive",
       "What is {amount} rare is fetched by others; what is common, one keeps."),
    _m("scales", "offload_mix offload_cost", _HOW_MUCH,
       "scales, balance, equilibrium, seesaw, market, traffic, fork in the road, compromise, mixture, liquid",
       "Work is shared between both ways {amount} by what they take."),
    _m("autumn", "victim_heat stamps", _HOW_MUCH,
       "autumn, falling leaves, pruning, ice, glacier, ageing, cooling coffee, decay, fading, melting",
       "Of several nodes the {amount} coldest go."),
    _m("spine", "victim_level leaf_few", _HOW_MUCH,
       "spine, backbone, trunk, foundation, pillar, skeleton, roots, hierarchy, general, bridge",
       "Inner nodes carry others and are spared {amount}."),
    _m("laundry", "victim_clean bend_write", _HOW_MUCH,
       "laundry, washing, cleaning day, dishes, mop, soap, housework, tidy, bath, rinse",
       "Clean pages go first; dirt counts {amount}."),
    _m("gossip", "share_calls offload_cost", _HOW_MUCH,
       "gossip, rumour, news, bulletin board, radio, weather report, warning shout, bees dancing, telegraph, notice",
       "Threads tell one another of a jam when it changes {amount}."),
)  # fmt: skip
