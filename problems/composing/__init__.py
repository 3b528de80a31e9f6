"""What the offline composer's libraries of all problems share: mechanisms, plans, drafts, the way between them."""

from problems.composing.draft import Draft
from problems.composing.library import ComposedLibrary
from problems.composing.mechanism import Mechanism, entry
from problems.composing.plan import Part, Plan, Wish, gather, read

__all__ = ["ComposedLibrary", "Draft", "Mechanism", "Part", "Plan", "Wish", "entry", "gather", "read"]
