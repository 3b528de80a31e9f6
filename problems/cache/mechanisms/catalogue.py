"""The cache mechanisms: what each is like in everyday terms, what it says of a cache, what it becomes in code.

To add one: an entry here whose ``parts`` name structures and rules; if it needs a new one, a function in
``structures.py`` or ``rules.py``. Nothing else changes.
"""

from __future__ import annotations

from dataclasses import dataclass

_HOW_OFTEN = ("rarely", "now and then", "often")
_HOW_SELDOM = ("often", "now and then", "rarely")
_HOW_LONG = ("a short while", "a good while", "a long while")
_HOW_MUCH = ("a little", "clearly", "very much")
_HOW_MANY = ("a few", "several", "many")
_HOW_LOW = ("extremely low", "clearly low", "rather low")
_SHARE = ("a tiny part", "a small part", "a large part")


@dataclass(frozen=True)
class Mechanism:
    """A mechanism of caches.

    Attributes:
        id: Its name.
        likeness: What behaves like this in the world; compared with the properties of a stimulus.
        sentence: The observation, in the problem's terms; ``{amount}`` is one of ``amounts``.
        amounts: Phrases for little, medium and much.
        parts: Structures and rules that carry it out, dearest first; which it becomes depends on the others.
    """

    id: str
    likeness: str
    sentence: str
    amounts: tuple[str, str, str]
    parts: tuple[str, ...]


def _m(id: str, parts: str, amounts: tuple[str, str, str], likeness: str, sentence: str) -> Mechanism:
    return Mechanism(id, likeness, sentence, amounts, tuple(parts.split()))


MECHANISMS: tuple[Mechanism, ...] = (
    _m("surface", "recency hit_proven", _HOW_LONG,
       "rises to the top when used, floats on the surface, light and fresh, recent, new, the sea, swim, float",
       "Objects float: every use lifts an object to the top of a pile and the rest sink; what has been at the bottom for"
       " {amount} is given up."),
    _m("queue_of_people", "arrival guard_young", _HOW_LONG,
       "waiting in a line, a procession, people wait for their turn, arrive, passengers, first come first served",
       "Objects leave in the order in which they came, as in a waiting line; nobody gets ahead within {amount}."),
    _m("climbing", "stepwise hit_proven", _HOW_MANY,
       "climbing step by step, a career, rank is earned gradually, progress, improve little by little, walking, effort",
       "A place has to be earned step by step: a requested object overtakes only {amount} of its neighbours."),
    _m("wheel", "circle guard_credit", _HOW_MANY,
       "turning round, a wheel, rotation, a circle, a cycle that returns, revolves about an axis",
       "Objects sit on a turning wheel; each request buys a further turn, and {amount} turns can be saved up."),
    _m("wanderer", "hand age_sweep", _HOW_MANY,
       "a traveller who wanders from place to place, a hand, a journey along a road, inspecting, patrol, search",
       "A pointer wanders along the cached objects, which never move, takes away one of {amount} saved requests where it"
       " passes and evicts where it finds none."),
    _m("storeys", "ladder hit_proven", _HOW_MANY,
       "a building with floors, layers, levels, strata, stairs, classes of society, hierarchy, high and low",
       "The cache has storeys; a request moves an object up one storey of {amount}, crowding moves the last one down."),
    _m("ripening", "tiers hit_rest", _HOW_LONG,
       "growth, ripening fruit, plants and trees, ages of life, maturity grows by doubling, seeds and harvest",
       "An object ripens: its grade is the number of doublings of its requests, and a grade is lost if it is not asked for"
       " in {amount}."),
    _m("trial", "probation admit_second", _SHARE,
       "a test, trial, examination, proof before acceptance, apprentice, candidates, experiment, doubt",
       "Newcomers are on trial in {amount} of the cache; only those requested again while there enter the main part."),
    _m("nursery", "nursery memory_boost", _SHARE,
       "a child, young animal, a mother and baby, birth, home and family, school, protected while small",
       "The young live in a nursery, {amount} of the cache, and move into the house at their first request after arrival."),
    _m("scales", "balance insert_jury", _HOW_MUCH,
       "a balance, weighing, two sides, equal, justice, compare, fair compromise, opposite forces",
       "Two sides, requested once and requested again, share the cache; whoever comes back after eviction tips the"
       " scales {amount} towards the side that had lost it."),
    _m("lottery_draw", "draw insert_bimodal", _HOW_MANY,
       "chance, gambling, dice, luck, random, game, cards, unexpected, accident, guess",
       "Fate decides who is looked at: {amount} cached objects are drawn by lot and the least valuable of them goes."),
    _m("rising_tide", "heap age_halve", _HOW_MUCH,
       "a rising level of water, flood, inflation, price, pressure, temperature rises, swell",
       "A level rises {amount} with every eviction; each object stands above it by its value and drowns when it is reached."),
    _m("regions", "regions insert_chosen", _HOW_MANY,
       "countries, territory, districts, land divided, borders, government, map, area, cities, farm fields",
       "The cache consists of {amount} provinces by hash of the object; the province with the least fame must give one up."),
    _m("duel", "contest admit_merit", _SHARE,
       "a fight, contest, duel, war, enemy, competition, winner and loser, weapons, attack, sport",
       "The oldest newcomer, from {amount} of the cache, and the weakest settled object fight; the less requested goes."),
    _m("court", "insert_jury insert_drought", _HOW_MANY,
       "law, court, judge, jury, verdict, vote, election, decision, authority, opinion",
       "Two small groups of objects are treated in opposite ways and their misses compared; {amount} others follow the"
       " better group."),
    _m("pulse", "hit_every age_sweep", _HOW_SELDOM,
       "beating, rhythm, heart, drum, music, regular repeated strokes, hammer, dance, count",
       "Not every request of a cached object has an effect, only those on a beat that comes {amount}."),
    _m("rest", "hit_rest guard_due", _HOW_LONG,
       "sleep, rest, pause, quiet, silence, calm, night, tired, breathing",
       "After an effective request an object rests; requests within {amount} after it change nothing, so a burst is one."),
    _m("habit", "worth_rhythm guard_due", _HOW_MUCH,
       "habit, periodic, expected time, schedule, calendar, clock, appointment, season, regularly every day",
       "Each object has a usual time between requests; the longer that time the less it is worth, and being overdue counts"
       " {amount}."),
    _m("spark", "hit_luck insert_bimodal", _HOW_OFTEN,
       "spark, fire, flash, electricity, lightning, sudden ignition, light, excitement",
       "A request ignites an object only {amount}, by chance; without it the object stays where it is."),
    _m("proof", "hit_proven admit_door", _HOW_MANY,
       "evidence, truth, certain, fact, reliable, confirmed knowledge, science, theory, reason",
       "One request proves nothing: an object is moved only after {amount} requests have confirmed it."),
    _m("companions", "hit_mate probation", _HOW_OFTEN,
       "friend, pair, couple, together, marriage, partner, attached, neighbours, group, belongs with",
       "Who came together stays together: a request {amount} also counts for the object that came in just before."),
    _m("back_door", "insert_bimodal insert_wave", _HOW_OFTEN,
       "door, entrance, exit, gate, threshold, at the back, leave quickly, visitors, temporary",
       "Newcomers stand at the exit and are the next to go; only {amount} one is let through to the front."),
    _m("tithe", "insert_cyclic arrival", _HOW_SELDOM,
       "a number in a series, tax, payment, quota, portion, every tenth, ration, money, count out",
       "The arrivals are counted off; {amount} it is one's turn to get a good place and the others are at the exit."),
    _m("elect", "insert_chosen guard_pinned", _SHARE,
       "a chosen few, privilege, nobility, king, selected, inherited, special, title, god, holy",
       "A fixed and arbitrary part of all objects, {amount}, is privileged for ever and enters at a good place."),
    _m("alarm", "insert_wave admit_tide", _HOW_MANY,
       "alarm, warning, danger, fear, crowd rushes in, storm, emergency, wave, sudden attack, signal",
       "{amount} misses in a row raise an alarm: a passing crowd is assumed and who arrives is the next to go."),
    _m("familiar_face", "insert_familiar admit_door", _HOW_LONG,
       "face, recognise, familiar, memory of a picture, identity, name, look, portrait, sign",
       "A guard with a poor memory recognises faces seen within {amount}; the recognised get a favoured place."),
    _m("second_knock", "admit_second memory_carry", _HOW_OFTEN,
       "repeat, again, twice, insist, ask, request, call, answer, knock, invitation",
       "Once the cache is full an object is let in only when it is asked for the second time; {amount} one slips through."),
    _m("sieve_cloth", "admit_door insert_familiar", _HOW_LONG,
       "filter, net, holes, cloth, fabric, skin, membrane, passes through, strain, screen, thin layer",
       "A filter keeps marks of what was asked for in {amount} and holds back whatever has no mark yet."),
    _m("toss", "admit_lottery hit_luck", _HOW_OFTEN,
       "uncertain, perhaps, toss a coin, throw, ball, risk, adventure, possible, hope",
       "Whether a missed object is brought in at all is left to chance; it happens {amount}."),
    _m("merit", "admit_merit worth_count", _HOW_MUCH,
       "honour, prize, merit, reputation, quality, better than, excellent, success, value, achievement",
       "A newcomer is let in only if its reputation, an approximate count of its requests with {amount} of a head start,"
       " beats that of the one who would go."),
    _m("tides", "admit_tide insert_wave", _HOW_LONG,
       "moon, ebb and flow, opening and closing, day and night, coast, alternate, shore, breath, weather",
       "Admission ebbs and flows: for {amount} the gates are open, then they are shut, whoever comes."),
    _m("regret", "admit_regret recency", _HOW_MUCH,
       "sorrow, regret, mistake, guilt, learn from errors, lesson, punishment, feeling, pain, moral",
       "Each eviction of an object that was never used makes the gate {amount} narrower, each return of one sent away"
       " wider."),
    _m("armour", "guard_credit circle", _HOW_MANY,
       "shield, protection, armour, shell, cover, coat, clothing, wall, defence, hard outside",
       "Requests forge armour: an object at the point of eviction is spared {amount} times at most and loses a plate"
       " each time."),
    _m("shelter", "guard_young nursery", _HOW_LONG,
       "shelter, guest, hospitality, newborn, roof, nest, care, hospital, nurse, comfort",
       "A guest is safe: nobody is evicted within {amount} after arrival as long as others can be found."),
    _m("anchor", "guard_pinned insert_chosen", _SHARE,
       "anchor, fixed, root, foundation, rock, stone, firm, immovable, heavy, mountain, stay",
       "{amount} of all objects is anchored by its hash: once in, it is passed over when somebody has to go."),
    _m("homecoming", "memory_boost guard_returned", _HOW_MANY,
       "return home, come back, migration, exile, birds come again, restore, recover, again alive, echo",
       "Who has come back after an eviction is not sent away lightly again: it is passed over {amount} times."),
    _m("patience", "guard_due arrival", _HOW_LONG,
       "patience, delay, waiting, promise, expectation, future, trust, late, hope for someone",
       "Before an object goes it is asked when it usually returns; within {amount} of that time it is waited for."),
    _m("heap_of_coins", "worth_count heap", _HOW_MUCH,
       "wealth, accumulate, collect, gold, coins, quantity, pile, store, abundance, amount, many",
       "Worth is accumulated: an object is valued {amount} by the number of its requests."),
    _m("fading", "worth_recent draw", _HOW_MUCH,
       "fading, evaporate, smell, colour bleaches, cooling, fresh bread, ice melts, steam, disappear",
       "Worth evaporates: it is {amount} lower the longer ago the last request was."),
    _m("speed", "worth_rate heap", _HOW_LONG,
       "speed, rate, fast, motion, run, car, flow per hour, velocity, engine, work, efficiency",
       "Worth is a rate: requests per time since arrival, with {amount} of grace for newcomers."),
    _m("burden", "worth_size admit_regret", _HOW_MUCH,
       "weight, heavy, burden, large body, volume, size, thick, load, bulk, space occupied, fat",
       "The room that an object takes speaks {amount} against it when worths are compared."),
    _m("character", "worth_jitter insert_chosen", _HOW_MUCH,
       "personality, character, individual, different, taste, variety, strange, unique, talent, art",
       "Objects have a character that never changes: by its hash one is {amount} more worth than another."),
    _m("resilience", "worth_returns hand", _HOW_MUCH,
       "elastic, spring, bounce, survive, health, strength, muscle, resist, recover shape, life",
       "What springs back is worth {amount} more: each return after an eviction is added to the worth."),
    _m("elders", "worth_senior heap", _HOW_MUCH,
       "old, ancient, tradition, history, elder, ancestor, experience, long established, antique, wine",
       "The old are honoured: worth grows {amount} with the time an object has been in the cache."),
    _m("winter", "age_halve tiers", _HOW_LONG,
       "winter, seasons, year, end of an era, harvest over, decline, death, dying leaves, renewal",
       "Every season, {amount} apart, all merits are halved at once, so that old fame does not last."),
    _m("broom", "age_sweep hand", _HOW_MANY,
       "broom, cleaning, wash, sweep, dust, brush, tool moves across, plough, mow, order, tidy",
       "A broom goes round all objects, {amount} at each eviction, and takes away a bit of the merits it finds."),
    _m("erosion", "age_erode regions", _HOW_MANY,
       "erosion, wear, rust, rain on stone, damage, sand, scratch, decay, broken, crumbling",
       "With every eviction {amount} objects, hit by chance, lose a bit of their merits."),
    _m("forgetting", "age_lazy recency", _HOW_LONG,
       "forget, absence, distance, lose contact, neglect, weak memory, unused, ignore, lonely, dream",
       "After an absence of {amount} half of what an object had earned is forgotten."),
    _m("ghosts", "memory_boost probation", _HOW_LONG,
       "ghost, spirit, soul, past, trace, shadow, footprint, track left behind, monument, record",
       "The departed leave a ghost for {amount}; one that comes back while it is there gets a favoured place."),
    _m("inheritance", "memory_carry tiers", _HOW_MANY,
       "inheritance, heir, seed carries, letter, book, writing keeps, document, save, bank account, preserve",
       "What an object had earned is kept in a will when it goes, and half of {amount} requests at most is paid out when it"
       " returns."),
    _m("stranger", "memory_sour insert_wave", _HOW_LONG,
       "stranger, foreign, distrust, outside, refuse, hostile, cold, unfriendly, alien, suspicious",
       "Who stayed away for {amount} has become a stranger and is the next to go."),
    _m("market_stalls", "probation worth_count", _SHARE,
       "market, shop, trade, sell, buy, business, customers, goods, company, product, industry",
       "The goods are first shown at a stall, {amount} of the cache; what is asked for there is taken into the store."),
    _m("gears", "ladder age_sweep", _HOW_MANY,
       "machine, gear, mechanism, parts work together, instrument, device, metal, equipment, tool, computer",
       "Objects run through {amount} gears: each request shifts one up, a full gear shifts its slowest down."),
    _m("mixture", "draw worth_jitter", _HOW_MANY,
       "mix, soup, food, cooking, blend, liquid, drink, chemical, salt, sugar, substance, stir",
       "The cached objects are a stirred mixture without order; {amount} are ladled out and the poorest of them goes."),
    _m("stage", "hand insert_familiar", _HOW_MANY,
       "theatre, stage, performance, audience applause, actor, film, song, show, story, speech",
       "A critic walks along the players, who keep their places; applause of {amount} requests at most is used up as the"
       " critic passes, and who has none leaves."),
    _m("two_houses", "contest worth_rate", _SHARE,
       "house, room, kitchen, hall, apartment, inside, furniture, bed, table, window",
       "A porch, {amount} of the cache, and a hall behind it: the last in the porch gets into the hall only if it is"
       " requested more than the last in the hall."),
    _m("drought", "insert_drought admit_drought", _HOW_LOW,
       "dry, desert, drought, thirst, heat, sun, summer, barren land, lack of water",
       "In a drought, when the recent share of hits is {amount}, whoever arrives is the next to go, so that the stock"
       " lasts."),
    _m("fasting", "admit_drought insert_wave", _HOW_LOW,
       "hunger, poor, fasting, poverty, need, abstain, stomach, eat, starve, religion, bread",
       "In lean times, when the recent share of hits is {amount}, nothing is let in but a rare exception: what is here"
       " is as good as what comes."),
    _m("quarantine", "probation insert_drought", _SHARE,
       "disease, doctor, medicine, infection, poison, quarantine, patient, cure, isolate, blood",
       "Newcomers are isolated in {amount} of the cache until a second request shows that they are sound; who relapses"
       " soon after leaving is taken in at once."),
    _m("passers_by", "insert_wave insert_drought", _HOW_MANY,
       "street, traffic, pass by, river flow, stream, current, train, crossing, wind, bird flight",
       "When {amount} misses follow each other the stream is only passing by, and who belongs to it stands at the exit."),
    _m("front_row", "ladder insert_drought", _HOW_MANY,
       "seat, front row, chair, class, teacher, university, audience, church, place of honour, prince",
       "There are {amount} rows of seats; who is asked for again sits one row further in front and pushes somebody back."),
    _m("lamp", "hand insert_wave", _HOW_MANY,
       "lamp, light, eye, look at, see, window, glass, bright, mirror, watch, visible",
       "A watchman goes his rounds with a lamp; who has been asked for since is left in peace, {amount} rounds at most, and"
       " the first who has not is shown out."),
    _m("score_sheet", "heap memory_carry", _HOW_MUCH,
       "score, points, number, measure, calculate, mathematics, degree, statistics, rate, average",
       "Every object has a score, the number of its requests, and the lowest goes; the score of those who go raises that of"
       " newcomers {amount}."),
    _m("scar", "worth_returns memory_boost", _HOW_MUCH,
       "wound, scar, cut, knife, hurt, skin, injury, bite, tooth, blood, sharp edge",
       "Each eviction leaves a scar, and scars show who was missed: each return raises the worth {amount}."),
    _m("crossroads", "worth_recent balance", _HOW_MUCH,
       "road, crossing, fork, choose a way, direction, path, compass, guide, turn, branch",
       "At a crossroads the objects part into those asked for once and those asked for again; the room of each way moves"
       " {amount} with every object that was sent away too early."),
)  # fmt: skip
