"""THE table: every flaw that peers shipped and we know of, the tests that hold it, and the flaw planted for each.

docs/flaws.md is made of it; test_table.py holds that nothing is missing.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import plants as p
from .plants import Put

FLAWS = "tests/flaws/"
FLOW, VERBS, IDS = FLAWS + "test_reset_flow.py::", FLAWS + "test_verbs.py::", FLAWS + "test_ids.py::"
TEXT, FILES, SOURCE = FLAWS + "test_text.py::", FLAWS + "test_generated.py::", FLAWS + "test_source.py::test_row_source"
KEYS = "tests/isolation/test_golden_keys.py::test_every_operation_answers_with_the_fields_it_is_known_for"
OUT, BROWSER = FLAWS + "test_outgoing.py::", FLAWS + "test_browser.py::"
WEB, CHANGES, ENGINES = "tests/web/", "tests/changes/", "tests/engines/"
NOT_FILED = "not filed yet"


@dataclass(frozen=True)
class Plant:
    """what: the flaw in words. test: which test must find it. put: puts it there."""

    row: int
    name: str
    what: str
    test: str
    put: Put


@dataclass(frozen=True)
class Waits:
    """A part of a row whose feature does not exist yet. brings: the issue that brings it. words: a name of a kind, an
    address, a module or a command that holds one of these is that feature."""

    what: str
    brings: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    number: int
    flaw: str
    seen: str
    tests: tuple[str, ...]
    planted: tuple[tuple[str, str, Put], ...] = ()
    waits: tuple[Waits, ...] = ()
    note: str = ""


ROWS = (
    Row(1, "A mailed link is built from the Host header", "mailcow CVE-2025-25198, Hestia #748, SOGo 5.12.11",
        (FLOW + "test_row_01_no_host_of_a_request_leads_a_link_elsewhere",
         FLOW + "test_row_01_an_unknown_host_is_400_on_every_address"),
        (("a link of X-Forwarded-Host",
         FLOW + "test_row_01_no_host_of_a_request_leads_a_link_elsewhere[forwarded host]",
          p.link_from_host),
         ("a link of Host, port and all",
          FLOW + "test_row_01_no_host_of_a_request_leads_a_link_elsewhere[another port]",
          p.link_from_port),
         ("every Host is ours", FLOW + "test_row_01_an_unknown_host_is_400_on_every_address[evil.example:80]",
          p.setting("ALLOWED_HOSTS", ["*"])))),
    Row(2, "Who has an account is told to whoever asks", "Modoboa 17f6f0702, mailcow 5ca900749",
        (WEB + "test_sign_in.py::test_somebody_unknown_and_a_wrong_password_are_answered_alike",
         WEB + "test_recovering.py::test_every_address_is_answered_alike_with_the_same_work",
         CHANGES + "test_taken.py::test_who_may_not_make_it_is_not_told_whether_the_name_is_taken",
         FLOW + "test_row_02_a_name_that_is_asked_for_at_the_api_says_nothing_of_who_is_there",
         ENGINES + "test_node_live.py::test_no_name_is_confirmed_to_who_only_asks",
         ENGINES + "test_node_live.py::test_who_is_refused"),
        (("asking for a link answers more to who is there",
          WEB + "test_recovering.py::test_every_address_is_answered_alike_with_the_same_work", p.says_who_is_unknown),
         ("an object of others is found and refused, not missing",
          FLOW + "test_row_02_a_name_that_is_asked_for_at_the_api_says_nothing_of_who_is_there", p.found_and_refused),
         ("Postfix answers VRFY", ENGINES + "test_node_live.py::test_no_name_is_confirmed_to_who_only_asks[VRFY]",
          p.on_the_node("disable_vrfy_command = no", "disable_vrfy_command = yes"))),
        (Waits("autodiscover and autoconfig", "issue 4", ("autodiscover", "autoconfig")),
         Waits("SCIM", NOT_FILED, ("scim",)))),
    Row(3, "A reset token that is short, unlimited, or good twice", "Modoboa CVE-2023-0777",
        (FLOW + "test_row_03_every_token_holds_128_bits_and_none_comes_twice",
         FLOW + "test_row_03_a_typed_code_is_guessed_a_few_times_and_no_more",
         WEB + "test_recovering.py::test_asking_is_limited_by_address_and_by_source",
         WEB + "test_recovering.py::test_a_link_that_is_no_good_says_the_same_whatever_was_wrong",
         WEB + "test_sign_in.py::test_guessing_is_slowed_down",
         WEB + "test_sign_in.py::test_a_mailed_link_of_a_person_leads_to_a_password_and_then_to_the_second_factor"),
        (("tokens of 48 bits", FLOW + "test_row_03_every_token_holds_128_bits_and_none_comes_twice",
          p.around("postroom.access.tokens.draw", p.short_tokens)),
         ("nothing is counted", WEB + "test_recovering.py::test_asking_is_limited_by_address_and_by_source",
          p.around("postroom.access.throttle.Limit.__call__", p.counted_never)),
         ("typed codes are not counted", FLOW + "test_row_03_a_typed_code_is_guessed_a_few_times_and_no_more",
          p.around("postroom.access.throttle.Limit.__call__", p.counted_never)),
         ("failed sign-ins are not counted", WEB + "test_sign_in.py::test_guessing_is_slowed_down",
          p.around("postroom.web.limits.Limits.get", p.forgets)))),
    Row(4, "Somebody changes the password of who stands above them", "Modoboa ee71c7dac, Mailu 8577c929",
        (CHANGES + "test_taking_over.py::test_nobody_touches_the_mailbox_of_somebody_above_them",
         "tests/access/test_roles_of_ones_own.py::test_no_grant_is_beyond_its_giver"),
        (("rank is not compared",
         CHANGES + "test_taking_over.py::test_nobody_touches_the_mailbox_of_somebody_above_them",
          p.without_policy("rank")),
         ("nor is what is given", "tests/access/test_roles_of_ones_own.py::test_no_grant_is_beyond_its_giver",
          p.without_policy("rank")))),
    Row(5, "One verb of many asks nobody who they are", "Mailu CVE-2026-49217, mailcow CVE-2026-40874",
        (VERBS + "test_row_05_no_verb_of_the_api_answers_without_a_session",
         VERBS + "test_row_05_no_verb_of_a_page_answers_without_a_session"),
        (("one operation is open", VERBS + "test_row_05_no_verb_of_the_api_answers_without_a_session",
          p.around("postroom.api.door.Bearer.__call__", p.one_verb_asks_nobody)),
         ("a page answers PUT", VERBS + "test_row_05_no_verb_of_a_page_answers_without_a_session",
          p.open_page("/mailboxes/")))),
    Row(6, "A view that declares nothing is open", "Modoboa e59e2590e",
        (WEB + "test_urls.py::test_every_address_declares_its_permission",
         "tests/api/test_doors.py::test_every_operation_declares_what_it_requires",
         VERBS + "test_row_06_what_nobody_declared_nobody_may"),
        (("a page declares nothing", WEB + "test_urls.py::test_every_address_declares_its_permission", p.undeclared),
         ("an operation declares nothing", "tests/api/test_doors.py::test_every_operation_declares_what_it_requires",
          p.undeclared_operation),
         ("a role is given what does not exist yet", VERBS + "test_row_06_what_nobody_declared_nobody_may",
          p.everybody_may))),
    Row(7, "Another tenant's migrations and their credentials are read", "Modoboa 9a5243477", (),
        waits=(Waits("moving mailboxes in over IMAP", NOT_FILED, ("mail_import", "imports.", "/imports",
        "imapsync")),)),
    Row(8, "Single sign-on into another tenant's webmail", "mailcow e245ac04d", (),
        waits=(Waits("webmail, and acting as somebody else", NOT_FILED, ("webmail", "impersonat")),)),
    Row(9, "A role over one's own domain for any account; a domains field that may be written",
        "Modoboa e71fe33d8, a88dc54ca",
        (IDS + "test_row_09_nobody_is_given_a_role_who_is_out_of_sight",
         IDS + "test_row_09_no_kind_takes_a_field_it_does_not_name"),
        (("rows are looked up past the person asking", IDS + "test_row_09_nobody_is_given_a_role_who_is_out_of_sight",
          p.around("postroom.changes.state.State.find", p.sees_everybody)),
         ("what is not known is ignored", IDS + "test_row_09_no_kind_takes_a_field_it_does_not_name[domains.change]",
          p.takes_anything("domains.change")))),
    Row(10, "A rule on a mailbox of somebody else, by its id", "Modoboa c38351bfc, de24e9041",
        (IDS + "test_row_10_an_object_of_another_client_is_not_there_whatever_names_it",
         WEB + "test_urls.py::test_not_there_and_not_yours_answer_the_same"),
        (("rows are looked up past the person asking",
          IDS + "test_row_10_an_object_of_another_client_is_not_there_whatever_names_it",
          p.around("postroom.changes.state.State.find", p.sees_everybody)),),
        (Waits("delegations and shared folders", "issue 5", ("delegat", "acl")),)),
    Row(11, "An answer holds more than it should: paths, hashes, secrets", "Modoboa 07d00cd47, 9b42fed30, 0aeb3028b",
        (IDS + "test_row_11_no_answer_holds_a_secret", KEYS,
         "tests/api/test_doors.py::test_the_link_of_an_invite_appears_in_one_answer_only"),
        (("a person is shown with the hash of the password", IDS + "test_row_11_no_answer_holds_a_secret",
          p.around("postroom.queries.objects.shown", p.shows_hash)),
         ("an object is shown with a path", KEYS,
          p.around("postroom.queries.objects.shown", p.shows_more)))),
    Row(12, "A portal acts with its own rights and not with the user's", "CIPP #1530, #916",
        (IDS + "test_row_12_a_program_acts_with_the_rights_of_its_token_and_nobodys_else",
         "tests/access/test_tokens.py::test_it_may_what_it_names_where_it_names",
         "tests/access/test_tokens.py::test_it_is_no_more_than_its_maker_now"),
        (("a token acts as its maker", IDS + "test_row_12_a_program_acts_with_the_rights_of_its_token_and_nobodys_else",
          p.around("postroom.api.door._by_token", p.token_is_person)),)),
    Row(13, "A rule that somebody typed is evaluated as code", "CIPP-API 94c0157e1",
        (SOURCE, SOURCE + "_is_found_where_it_is_planted"),
        (("a policy evaluates text", SOURCE + "[13 nothing typed is evaluated]",
          p.in_source("13 nothing typed is evaluated", "changes/policies/rule.py",
          "def rule(text): return eval(text)")),)),
    Row(14, "A quote in a filter widens what is found", "CIPP-API 212e3a103, Modoboa ea762341e, f28a1b24a",
        (TEXT + "test_row_14_a_quote_in_a_filter_finds_nothing_more", TEXT + "test_row_14_nor_at_the_pages",
         "tests/api/test_doors.py::test_hostile_text_is_refused_or_kept_as_it_is",
         WEB + "test_urls.py::test_an_odd_address_is_answered_and_never_breaks"),
        (("a search is put together of what was typed", TEXT + "test_row_14_a_quote_in_a_filter_finds_nothing_more",
          p.around("postroom.queries.objects._where", p.search_as_text)),
         ("% and _ are not escaped", TEXT + "test_row_14_nor_at_the_pages",
          p.around("postroom.queries.objects._pattern", p.unescaped_like)))),
    Row(15, "What was stored reaches a statement in a job", "mailcow CVE-2026-40871",
        (TEXT + "test_row_15_what_was_stored_runs_nowhere",
         "tests/architecture/test_code.py::test_the_house_keeps"),
        (("a job puts a title into its statement", TEXT + "test_row_15_what_was_stored_runs_nowhere",
          p.around("postroom.worker.alarms.left", p.finding_by_text)),)),
    Row(16, "A name reaches a shell", "Modoboa 27a7aa133, postfixadmin f3e10ce5",
        (SOURCE, FILES + "test_row_16_a_hostile_name_is_one_argument",
         FILES + "test_row_16_root_answers_its_five_questions_and_no_other"),
        (("a command is text for a shell", FILES + "test_row_16_a_hostile_name_is_one_argument",
          p.around("postroom.engines.asking.Desk._run", p.by_shell)),
         ("shell=True", SOURCE + "[16 no shell]",
          p.in_source("16 no shell", "engines/x.py", "subprocess.run(command, shell=True)")))),
    Row(17, "A line end in a value makes an entry of its own in a generated file", "Modoboa e843f72cf, 9b42fed30",
        (FILES + "test_row_17_no_selector_or_domain_of_a_key_is_more_than_one_word",
         FILES + "test_row_17_there_are_as_many_rows_as_objects",
         FILES + "test_row_17_a_setting_of_a_node_is_one_word_in_what_is_rendered",
         FILES + "test_row_17_configurations_hold_each_setting_and_service_once",
         FILES + "test_row_17_a_zone_file_holds_one_record_a_value",
         ENGINES + "test_compile.py::test_what_no_map_may_hold",
         ENGINES + "test_node_troubles.py::test_a_row_no_map_may_hold_is_told_and_not_written"),
        (("a map takes whatever it is given", FILES + "test_row_17_there_are_as_many_rows_as_objects",
         p.anything_is_safe),
         ("so do the keys", FILES + "test_row_17_no_selector_or_domain_of_a_key_is_more_than_one_word[a\\nb]",
          p.anything_is_safe),
         ("a host name of two lines is rendered",
          FILES + "test_row_17_a_setting_of_a_node_is_one_word_in_what_is_rendered"
          "[mx\\nmynetworks = 0.0.0.0/0-hostname]",
          p.instead("postroom.engines.layout._one_word", lambda value: True)),
         ("a setting stands twice", FILES + "test_row_17_configurations_hold_each_setting_and_service_once",
          p.reworded("postroom.engines.postfix.MAIN", "biff = no\n", "biff = no\nmynetworks = 0.0.0.0/0\n")),
         ("octets of a TXT value are written as they are", FILES + "test_row_17_a_zone_file_holds_one_record_a_value",
          p.raw_zone_lines))),
    Row(18, "An import passes what the API would refuse", "Modoboa 21bf81b1c, 98b607e9f",
        (TEXT + "test_row_18_what_one_door_refuses_every_door_refuses",
         TEXT + "test_row_18_what_one_door_takes_every_door_takes_alike"),
        (("the pages make something good of it", TEXT + "test_row_18_what_one_door_refuses_every_door_refuses[1]",
          p.around("postroom.web.kind_form._clean", p.tidied)),),
        (Waits("import from a file", "issue 4", ("csv", "upload")), Waits("SCIM", NOT_FILED, ("scim",)))),
    Row(19, "Text of a holiday note becomes Sieve", "Modoboa a02019869, c1db85381, Mailu a91b5251", (),
        waits=(Waits("filters and automatic answers", "issue 5", ("sieve", "vacation", "auto_reply", "filters.")),),
        note="No Sieve is generated; a script that somebody uploads sends nothing outside: "
             "tests/engines/test_node_live.py::test_a_filter_sends_nothing_outside."),
    Row(20, "A line end in a value is a command of its own to another server", "Modoboa c1db85381, ce725db1b",
        (FILES + "test_row_20_nothing_that_ends_a_line_or_is_a_mask_reaches_a_daemon",
         WEB + "test_notice_letter.py::test_what_was_typed_stays_in_its_line"),
        (("every character is part of a name",
          FILES + "test_row_20_nothing_that_ends_a_line_or_is_a_mask_reaches_a_daemon[a\\r\\nb\\r\\nkick *]",
          p.any_word),),
        (Waits("a ManageSieve or IMAP client of ours", "issue 5", ("managesieve", "imap")),)),
    Row(21, "A second message is smuggled behind a bare line end", "mailcow 145745329; Postfix in Debian 12 by default",
        (ENGINES + "test_rendering.py::test_smuggling_is_shut",
         ENGINES + "test_node_live.py::test_no_second_message_is_smuggled"),
        (("Postfix takes bare line ends (as text)", ENGINES + "test_rendering.py::test_smuggling_is_shut",
          p.reworded("postroom.engines.postfix.MAIN", "smtpd_forbid_bare_newline = yes",
          "smtpd_forbid_bare_newline = no")),
         ("Postfix takes bare line ends (as it runs)",
          ENGINES + "test_node_live.py::test_no_second_message_is_smuggled[\\n.\\n]",
          p.on_the_node("smtpd_forbid_bare_newline = no\nsmtpd_forbid_unauth_pipelining = no",
                        "smtpd_forbid_bare_newline = yes\nsmtpd_forbid_bare_newline_exclusions =\n"
                        "smtpd_forbid_unauth_pipelining = yes"))),
        (Waits("releasing held mail", NOT_FILED, ("quarantine",)),)),
    Row(22, "Text from outside runs in an admin's browser",
        "mailcow CVE-2026-40873, -7460, -40875, iRedAdmin 2.6, Modoboa #3126",
        (BROWSER + "test_row_22_nothing_that_was_stored_runs_on_any_page",
         WEB + "test_stored_text.py::test_what_was_typed_is_shown_as_text_on_every_page",
         WEB + "test_page_look.py::test_hostile_text_stays_text",
         WEB + "test_page_words.py::test_words_are_escaped_whatever_they_stand_in", SOURCE),
        (("words are markup", BROWSER + "test_row_22_nothing_that_was_stored_runs_on_any_page",
          p.around("postroom.web.parts.words.piece", p.raw_words)),
         ("words are markup (without a browser)",
          WEB + "test_page_words.py::test_words_are_escaped_whatever_they_stand_in",
          p.around("postroom.web.parts.words.escape", p.raw_words))),
        (Waits("aggregate reports", "issue 6", ("report.", "reports/", "aggregate", "tls_rpt")),)),
    Row(23, "Text in a script through an address", "mailcow CVE-2026-40878",
        (WEB + "test_urls.py::test_pages_carry_the_strict_policy_and_are_not_kept",
         WEB + "test_page_words.py::test_no_page_has_a_style_or_a_script_of_its_own",
         BROWSER + "test_row_22_nothing_that_was_stored_runs_on_any_page"),
        (("the policy lets scripts in pages run",
          WEB + "test_urls.py::test_pages_carry_the_strict_policy_and_are_not_kept",
          p.instead("postroom.web.guard.CSP", "default-src 'self' 'unsafe-inline'")),)),
    Row(24, "Something happens by a link that is only opened, or by a form of another site",
        "Modoboa 23b036c2e, 38d778cc7, postfixadmin #903, phpList #1117",
        (VERBS + "test_row_24_a_post_from_another_site_is_403_on_every_address",
         VERBS + "test_row_24_the_api_takes_no_cookie",
         VERBS + "test_row_24_the_cookies_stay_at_home", WEB + "test_urls.py::test_looking_changes_nothing",
         WEB + "test_urls.py::test_what_is_only_posted_to_is_not_got",
         WEB + "test_urls.py::test_a_form_without_its_token_is_refused"),
        (("a page acts when it is opened", WEB + "test_urls.py::test_looking_changes_nothing", p.acts_by_get),
         ("one form needs no token", VERBS + "test_row_24_a_post_from_another_site_is_403_on_every_address",
          p.exempt("/theme/")),
         ("the API believes a cookie", VERBS + "test_row_24_the_api_takes_no_cookie",
          p.around("postroom.api.door.Bearer.__call__", p.cookie_at_the_api)),
         ("cookies go along from everywhere", VERBS + "test_row_24_the_cookies_stay_at_home",
          p.setting("SESSION_COOKIE_SAMESITE", "None")))),
    Row(25, "Somebody is signed in by another site", "mailcow CVE-2026-40875",
        (VERBS + "test_row_25_nobody_is_signed_in_by_another_site",),
        (("the form to sign in needs no token", VERBS + "test_row_25_nobody_is_signed_in_by_another_site",
          p.exempt("/sign-in/")),)),
    Row(26, "A name is a formula in a spreadsheet", "Modoboa 412efaec8", (SOURCE,),
        (("something writes CSV", SOURCE + "[26 nothing writes a table for a spreadsheet]",
          p.in_source("26 nothing writes a table for a spreadsheet", "queries/x.py", "import csv")),),
        (Waits("tables as CSV", "issues 4, 5, 6", ("csv", "xlsx")),)),
    Row(27, "A bomb in an imported report: zip, gzip, XML entities", "Modoboa d478894d7, 1b936c9c6", (SOURCE,),
        (("something reads XML", SOURCE + "[27 nothing reads XML]",
          p.in_source("27 nothing reads XML", "protocols/x.py", "import xml.etree.ElementTree")),),
        (Waits("aggregate reports", "issue 6", ("report.", "reports/", "aggregate", "tls_rpt")),)),
    Row(28, "The server fetches where somebody pointed it",
        "Roundcube CVE-2026-35540, -48843, SOGo 5.12.10, Mailu #1354",
        (OUT + "test_row_28_no_endpoint_of_a_provider_leads_to_where_it_has_no_tls",
         OUT + "test_row_28_no_redirect_is_followed_to_a_place_nobody_named",
         OUT + "test_row_28_other_peoples_zones_send_no_question_into_our_network",
         OUT + "test_row_28_the_settings_take_no_issuer_without_tls_but_on_this_machine",
         OUT + "test_row_28_a_link_that_is_shown_is_https_or_none", SOURCE,
         "tests/resolve/test_ask.py::test_other_peoples_glue_cannot_point_into_our_network"),
        (("a provider names any endpoint",
          OUT + "test_row_28_no_endpoint_of_a_provider_leads_to_where_it_has_no_tls[http://0177.0.0.1/]",
          p.instead("postroom.protocols.oidc.as_safe_as", lambda endpoint, issuer: True)),
         ("only the usual spelling is known",
          OUT + "test_row_28_other_peoples_zones_send_no_question_into_our_network[::ffff:127.0.0.1]",
          p.instead("postroom.resolve.walk._public", lambda address: not address.startswith(("127.", "10.", "::1")))),
         ("glue is believed", "tests/resolve/test_ask.py::test_other_peoples_glue_cannot_point_into_our_network",
          p.instead("postroom.resolve.walk._public", lambda address: True)),
         ("something new fetches", SOURCE + "[28 what is fetched]",
          p.in_source("28 what is fetched", "worker/x.py", "requests.get(url)"))),
        (Waits("webhooks", NOT_FILED, ("webhook",)),
         Waits("moving mailboxes in over IMAP", NOT_FILED, ("mail_import", "imapsync")),
         Waits("policies fetched over HTTPS", "issue 6", ("mta_sts", "rdap")))),
    Row(29, "postmaster@ and abuse@ are pointed elsewhere", "postfixadmin CVE-2017-5930",
        (CHANGES + "test_policies.py::test_they_are_never_removed_and_pointed_elsewhere_by_operators_alone",
         CHANGES + "test_policies.py::test_an_operator_of_one_client_is_no_operator_of_the_agency",
         CHANGES + "test_policies.py::test_role_accounts_of_a_new_domain_answer_to_the_organization"),
        (("role accounts are addresses like any other",
          CHANGES + "test_policies.py::test_they_are_never_removed_and_pointed_elsewhere_by_operators_alone[abuse]",
          p.without_policy("role_accounts")),)),
    Row(30, "A key makes a broader key", "Stalwart changelog",
        (IDS + "test_row_30_no_token_makes_another_or_lends_what_it_lacks",
         "tests/access/test_tokens.py::test_it_never_mints_nor_approves",
         "tests/access/test_tokens.py::test_it_is_no_more_than_its_maker_now"),
        (("a token may be given what makes tokens", "tests/access/test_tokens.py::test_it_never_mints_nor_approves",
          p.every_token_mints),
         ("a token acts as its maker", IDS + "test_row_30_no_token_makes_another_or_lends_what_it_lacks",
          p.around("postroom.api.door._by_token", p.token_is_person)))),
    Row(31, "Somebody sends as somebody else", "Modoboa 24fed4db3",
        (ENGINES + "test_node_live.py::test_a_sender_not_ones_own",
         ENGINES + "test_node_live.py::test_a_from_not_ones_own",
         ENGINES + "test_from_header.py::test_everything_else_is_refused",
         ENGINES + "test_milter.py::test_one_who_signed_in_before_is_not_the_next_sender"),
        (("the envelope is not compared", ENGINES + "test_node_live.py::test_a_sender_not_ones_own",
          p.on_the_node("smtpd_sender_restrictions=permit",
                        "smtpd_sender_restrictions=reject_authenticated_sender_login_mismatch", service="behind")),
         ("From is not compared", ENGINES + "test_from_header.py::test_everything_else_is_refused[joe@acme.example]",
          p.every_from_is_fine))),
    Row(32, "A name is not escaped in a profile for a device", "mailcow ffbc37a00", (),
        waits=(Waits("profiles for devices (.mobileconfig)", "issue 4", ("mobileconfig", "autoconfig",
        "autodiscover")),)),
    Row(33, "A file with a secret is readable for a moment", "Modoboa e3280d315",
        (FILES + "test_row_33_no_file_with_a_secret_is_ever_open_to_everybody", SOURCE,
         "tests/host/test_files.py::test_keys_are_drawn_once_and_read_by_their_group_alone",
         ENGINES + "test_node_live.py::test_secrets_are_for_those_who_need_them"),
        (("made first, narrowed after", FILES + "test_row_33_no_file_with_a_secret_is_ever_open_to_everybody",
          p.narrowed_after),
         ("a secret is written by write_text", SOURCE + "[33 files that are made]",
          p.in_source("33 files that are made", "host/x.py", "path.write_text(secret)")))),
    Row(34, "The engine's own holes", "Dovecot CVE-2026-27851, CVE-2026-27855",
        ("tests/posture/test_engines.py::test_nodes_engines",
         "tests/posture/test_engines.py::test_it_is_found_unknown_and_gone_as_the_nodes_say",
         FILES + "test_row_34_no_filter_that_unescapes_and_no_cache_of_sign_ins_is_rendered",
         FILES + "test_row_34_a_name_that_quotes_is_in_no_file_that_sign_ins_are_asked_of"),
        (("no version is known to be bad", "tests/posture/test_engines.py::test_nodes_engines",
          p.instead("postroom.posture.known_holes.HOLES", ())),
         ("a node that does not say is taken for good",
          "tests/posture/test_engines.py::test_it_is_found_unknown_and_gone_as_the_nodes_say",
          p.instead("postroom.posture.checks.engines.CALLED", {})),
         ("names of any letters are served",
          FILES + "test_row_34_a_name_that_quotes_is_in_no_file_that_sign_ins_are_asked_of", p.anything_is_safe),
         ("sign-ins are cached", FILES + "test_row_34_no_filter_that_unescapes_and_no_cache_of_sign_ins_is_rendered",
          p.cached_sign_ins))),
)  # fmt: skip


def _planted() -> dict[str, tuple[Plant, ...]]:
    """Test → the flaws it must find."""
    found: dict[str, tuple[Plant, ...]] = {}
    for row in ROWS:
        for n, (what, test, put) in enumerate(row.planted):
            plant = Plant(row.number, f"{row.number:02}{chr(97 + n)}", what, test, put)
            found[test] = (*found.get(test, ()), plant)
    return found


PLANTS = _planted()
