"""Every code by which a checkup of an org speaks, how grave it is, and why it matters."""

from __future__ import annotations

from ....base.finding import Codes, Level

_OK, _NOTE, _WARNING, _ERROR = Level

CODES = Codes(
    {
        "salesforce.login.ok": (_OK, "the org gives us tokens"),
        "salesforce.login.unreachable": (_ERROR, "nothing can be read, and nothing more asked"),
        "salesforce.login.refused": (_ERROR, "nothing can be read, and nothing more asked"),
        "salesforce.login.key": (_ERROR, "the app's assertion cannot be signed"),
        "salesforce.login.not_approved": (_ERROR, "the app gives tokens only for users whom its policies admit"),
        "salesforce.login.audience": (_ERROR, "an assertion is meant for one login host, and this one was another"),
        "salesforce.login.assertion": (
            _ERROR,
            "an assertion counts for minutes, and for the app that has its certificate",
        ),
        "salesforce.login.expired": (_ERROR, "a person has to authorise the app again"),
        "salesforce.login.run_as": (_ERROR, "an app without a signed assertion acts as the user that it names"),
        "salesforce.login.domain": (_ERROR, "only the org's own My Domain takes an app's secret"),
        "salesforce.login.user": (_ERROR, "no token is given for a user who is not active"),
        "salesforce.login.app": (_ERROR, "the app's policies admit other users only"),
        "salesforce.login.client": (_ERROR, "the org knows no app of this consumer key and secret"),
        "salesforce.login.rate": (_WARNING, "the user has logged in too often within the hour"),
        "salesforce.instance.ok": (_OK, "it answers in this version of its API"),
        "salesforce.instance.unreachable": (_ERROR, "tokens are given by one host, rows by another"),
        "salesforce.instance.refused": (_ERROR, "a token that was just given is not taken"),
        "salesforce.version.unserved": (_ERROR, "no call in it is answered"),
        "salesforce.version.old": (
            _WARNING,
            "before 60.0 some objects have no change events, and versions are retired by age",
        ),
        "salesforce.clock.skew": (
            _WARNING,
            "freshness is told wrong by as much, and after minutes no assertion counts",
        ),
        "salesforce.question.refused": (_NOTE, "what it would tell stays unknown"),
        "salesforce.calls.ok": (_OK, "there is room for what the settings ask"),
        "salesforce.calls.out": (
            _ERROR,
            "all that is ours is used, and reading waits until the day's oldest calls come of age",
        ),
        "salesforce.calls.low": (_WARNING, "lesser work waits, so that what is live goes on"),
        "salesforce.calls.need": (_WARNING, "at these settings reading will wait a part of each day"),
        "salesforce.calls.unknown": (_WARNING, "the org's time and limits are asked for there"),
        "salesforce.jobs.low": (_WARNING, "full reads and large windows wait"),
        "salesforce.user.api": (_ERROR, "no call of the user is answered"),
        "salesforce.user.ok": (_OK, "no row is hidden from it by sharing"),
        "salesforce.user.sharing": (_WARNING, "a row that sharing hides looks deleted, and its events are not sent"),
        "salesforce.user.unknown": (
            _WARNING,
            "a row that sharing hides looks deleted, and nobody could say whether any is",
        ),
        "salesforce.user.powerful": (_NOTE, "tieout only reads, so the right is of use to a thief alone"),
        "salesforce.object.ok": (_OK, "they can be described and read"),
        "salesforce.object.hidden": (_ERROR, "there is nothing to read"),
        "salesforce.object.closed": (_ERROR, "no question about its rows is answered"),
        "salesforce.object.no_stamp": (
            _ERROR,
            "its rows do not say when they were changed, so windows cannot find them",
        ),
        "salesforce.object.created_only": (_WARNING, "a row that is changed is seen again by tieout certify alone"),
        "salesforce.object.unreplicated": (
            _NOTE,
            "the org cannot say what it has covered, so windows prove 15 minutes late",
        ),
        "salesforce.object.wide": (_ERROR, "a question for all its fields does not fit into an address"),
        "salesforce.object.formulas": (_NOTE, "no event and no stamp tells that a formula has another value"),
        "salesforce.object.formulas_never": (
            _WARNING,
            "a formula keeps the value that it had when its row was read last",
        ),
        "salesforce.field.hidden": (_WARNING, "a contract promises it, and its values stay as they were"),
        "salesforce.events.ok": (_OK, "what changes there is told within seconds"),
        "salesforce.events.disabled": (_NOTE, "what changed is told by windows alone"),
        "salesforce.events.off": (_NOTE, "what changed is told by windows alone"),
        "salesforce.events.channel": (_WARNING, "no event is heard, and windows tell what changed"),
        "salesforce.events.refused": (_WARNING, "its events are not heard, and windows tell what changed"),
        "salesforce.events.unreachable": (_WARNING, "no event is heard, and windows tell what changed"),
        "salesforce.events.many": (_NOTE, "an org has five without the add-on, over all its channels"),
    }
)
"""Why each matters is half a sentence, so that it can stand behind what was found."""
