"""Words of which a simulated company's data is made."""

from __future__ import annotations

from typing import Final

FIRST_NAMES: Final = (
    "Aaliyah", "Björn", "Chloé", "Dmitri", "Elena", "Farid", "Grace", "Hiroshi", "Ines", "Jamal", "Katarzyna", "Liam",
    "Mei", "Noah", "Olivia", "Priya", "Quentin", "Rosa", "Søren", "Tariq", "Ursula", "Valentina", "Wei", "Ximena",
    "Yusuf", "Zoë",
)  # fmt: skip
LAST_NAMES: Final = (
    "Abara", "Becker", "Castellanos", "D'Angelo", "Eriksson", "Fernández", "Goldberg", "Haddad", "Ito", "Jansen",
    "Kowalski", "Lindqvist", "Müller", "Nakamura", "O'Brien", "Petrov", "Quispe", "Rossi", "Smith-Jones", "Tanaka",
    "Ueda", "van der Berg", "Weiß", "Xu", "Yilmaz", "Zhang",
)  # fmt: skip
COMPANY_FIRST: Final = (
    "Acme", "Blue Harbor", "Cobalt", "Delta", "Evergreen", "Fjord", "Granite", "Helios", "Iron Peak", "Juniper",
    "Keystone", "Lumen", "Meridian", "Northwind", "Orchard", "Pinnacle", "Quartz", "Redwood", "Summit", "Tidewater",
    "Umbra", "Vertex", "Willow", "Xenon", "Yonder", "Zephyr",
)  # fmt: skip
COMPANY_LAST: Final = ("Analytics", "Bank", "Energy", "Foods", "Group", "Health", "Insurance", "Labs", "Logistics",
                       "Manufacturing", "Media", "Mutual", "Retail", "Systems", "Telecom")  # fmt: skip
FORMS: Final = ("Inc.", "GmbH", "S.A.", "Ltd", "AB", "K.K.", "LLC", "B.V.")
CITIES: Final = (
    ("Berlin", "Germany"), ("Boston", "United States"), ("São Paulo", "Brazil"), ("Tokyo", "Japan"),
    ("London", "United Kingdom"), ("Sydney", "Australia"), ("Paris", "France"), ("Toronto", "Canada"),
    ("Stockholm", "Sweden"), ("Singapore", "Singapore"), ("Mexico City", "Mexico"), ("Amsterdam", "Netherlands"),
)  # fmt: skip
TITLES: Final = ("CISO", "VP Security", "IT Director", "Security Engineer", "Procurement Manager", "CFO", "CTO")
PRODUCTS: Final = (
    ("SEC-EDR", "Endpoint Detection", 48), ("SEC-SIEM", "Log Analytics", 22_000), ("SEC-IAM", "Identity", 36),
    ("SEC-MDR", "Managed Response", 64_000), ("SEC-VPN", "Secure Access", 29), ("SEC-TRN", "Training Day", 2_400),
    ("SEC-SUP", "Premium Support", 9_500),
)  # fmt: skip
SUBJECTS: Final = ("Call", "Send quote", "Follow up", "Demo", "Security review", "Renewal check-in", "Legal review")
MEETINGS: Final = ("Kick-off", "Demo", "Executive briefing", "Quarterly review", "Negotiation")
STEPS: Final = ("Send proposal", "Book demo", "Legal review", "Wait for budget", "Call the CISO", None, None)
ROLES: Final = ("Account Executive", "Sales Development", "Sales Manager", "Customer Success", "Deal Desk")
EDGE_NAMES: Final = (
    "🚀 Rocket & Söhne 🛰️", "\u202b\u05e9\u05dc\u05d5\u05dd\u202c", "=HYPERLINK(\"http://x\")", "#N/A", "null",
    "O'Hara, \"Quoted\"; Ltd", "X" * 255, "Zero\u200bWidth", "\uff26\uff55\uff4c\uff4c", "-1+1", "\ufb01nance", "NaN",
)  # fmt: skip
LONG_NOTE: Final = 'First line\nsecond, with a "quote"; a tab\t, a comma\r\nand a Windows line end'
