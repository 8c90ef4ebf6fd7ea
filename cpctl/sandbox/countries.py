"""Where Cloudprinter ships to: countries, their states, and which of them need a state or no zip code.

Source: CloudCore API 1.0, "Shipping countries" and "Shipping states/regions"; codes are ISO 3166-1 and ISO 3166-2.
"""

from typing import NamedTuple


class Country(NamedTuple):
    """A country with its states; where it has any here, an address there needs one of them."""

    reference: str
    note: str
    needs_zip: bool
    states: dict[str, str]  # reference -> name

    @property
    def requires_state(self) -> bool:
        """Whether an address in this country names its state."""
        return bool(self.states)


_NAMES = """
AD Andorra | AE United Arab Emirates | AF Afghanistan | AG Antigua and Barbuda | AI Anguilla | AL Albania |
AM Armenia | AO Angola | AQ Antarctica | AR Argentina | AS American Samoa | AT Austria | AU Australia | AW Aruba |
AX Åland Islands | AZ Azerbaijan | BA Bosnia and Herzegovina | BB Barbados | BD Bangladesh | BE Belgium |
BF Burkina Faso | BG Bulgaria | BH Bahrain | BI Burundi | BJ Benin | BL Saint Barthélemy | BM Bermuda |
BN Brunei Darussalam | BO Bolivia | BQ Bonaire, Sint Eustatius and Saba | BR Brazil | BS Bahamas | BT Bhutan |
BV Bouvet Island | BW Botswana | BY Belarus | BZ Belize | CA Canada | CC Cocos (Keeling) Islands |
CD Congo, Democratic Republic of the | CF Central African Republic | CG Congo | CH Switzerland | CI Côte d'Ivoire |
CK Cook Islands | CL Chile | CM Cameroon | CN China | CO Colombia | CR Costa Rica | CU Cuba | CV Cabo Verde |
CW Curaçao | CX Christmas Island | CY Cyprus | CZ Czechia | DE Germany | DJ Djibouti | DK Denmark | DM Dominica |
DO Dominican Republic | DZ Algeria | EC Ecuador | EE Estonia | EG Egypt | EH Western Sahara | ER Eritrea |
ES Spain | ET Ethiopia | FI Finland | FJ Fiji | FK Falkland Islands (Malvinas) | FM Micronesia | FO Faroe Islands |
FR France | GA Gabon | GB United Kingdom | GD Grenada | GE Georgia | GF French Guiana | GG Guernsey | GH Ghana |
GI Gibraltar | GL Greenland | GM Gambia | GN Guinea | GP Guadeloupe | GQ Equatorial Guinea | GR Greece |
GS South Georgia and the South Sandwich Islands | GT Guatemala | GU Guam | GW Guinea-Bissau | GY Guyana |
HK Hong Kong | HM Heard Island and McDonald Islands | HN Honduras | HR Croatia | HT Haiti | HU Hungary |
ID Indonesia | IE Ireland | IL Israel | IM Isle of Man | IN India | IO British Indian Ocean Territory | IQ Iraq |
IR Iran | IS Iceland | IT Italy | JE Jersey | JM Jamaica | JO Jordan | JP Japan | KE Kenya | KG Kyrgyzstan |
KH Cambodia | KI Kiribati | KM Comoros | KN Saint Kitts and Nevis | KP Korea, Democratic People's Republic of |
KR Korea, Republic of | KW Kuwait | KY Cayman Islands | KZ Kazakhstan | LA Lao People's Democratic Republic |
LB Lebanon | LC Saint Lucia | LI Liechtenstein | LK Sri Lanka | LR Liberia | LS Lesotho | LT Lithuania |
LU Luxembourg | LV Latvia | LY Libya | MA Morocco | MC Monaco | MD Moldova | ME Montenegro |
MF Saint Martin (French part) | MG Madagascar | MH Marshall Islands | MK North Macedonia | ML Mali | MM Myanmar |
MN Mongolia | MO Macao | MP Northern Mariana Islands | MQ Martinique | MR Mauritania | MS Montserrat | MT Malta |
MU Mauritius | MV Maldives | MW Malawi | MX Mexico | MY Malaysia | MZ Mozambique | NA Namibia | NC New Caledonia |
NE Niger | NF Norfolk Island | NG Nigeria | NI Nicaragua | NL Netherlands | NO Norway | NP Nepal | NR Nauru |
NU Niue | NZ New Zealand | OM Oman | PA Panama | PE Peru | PF French Polynesia | PG Papua New Guinea |
PH Philippines | PK Pakistan | PL Poland | PM Saint Pierre and Miquelon | PN Pitcairn | PR Puerto Rico |
PS Palestine | PT Portugal | PW Palau | PY Paraguay | QA Qatar | RE Réunion | RO Romania | RS Serbia |
RU Russian Federation | RW Rwanda | SA Saudi Arabia | SB Solomon Islands | SC Seychelles | SD Sudan | SE Sweden |
SG Singapore | SH Saint Helena, Ascension and Tristan da Cunha | SI Slovenia | SJ Svalbard and Jan Mayen |
SK Slovakia | SL Sierra Leone | SM San Marino | SN Senegal | SO Somalia | SR Suriname | SS South Sudan |
ST Sao Tome and Principe | SV El Salvador | SX Sint Maarten (Dutch part) | SY Syrian Arab Republic | SZ Eswatini |
TC Turks and Caicos Islands | TD Chad | TF French Southern Territories | TG Togo | TH Thailand | TJ Tajikistan |
TK Tokelau | TL Timor-Leste | TM Turkmenistan | TN Tunisia | TO Tonga | TR Türkiye | TT Trinidad and Tobago |
TV Tuvalu | TW Taiwan | TZ Tanzania | UA Ukraine | UG Uganda | UM United States Minor Outlying Islands |
US United States | UY Uruguay | UZ Uzbekistan | VA Holy See | VC Saint Vincent and the Grenadines | VE Venezuela |
VG Virgin Islands (British) | VI Virgin Islands (U.S.) | VN Viet Nam | VU Vanuatu | WF Wallis and Futuna |
WS Samoa | YE Yemen | YT Mayotte | ZA South Africa | ZM Zambia | ZW Zimbabwe
"""
# The official client libraries ask for no zip code in these 65 countries; the document asks for one everywhere.
_NO_ZIP = """
AE AG AO AW BF BI BJ BM BO BQ BS BW BZ CD CF CG CI CK CM CW DJ DM ER FJ GA GD GH GM GQ GY HK HM IE KI KM KN KP LY
ML MO MR MW NA NR NU PE QA RW SB SC SL SR ST SX SY TD TF TG TK TL TO TT TV UG VU
"""
# US, CA and AE are known to require a state; the others are likely, the list of the service is longer.
_STATES = {
    "AE": """
AJ Ajman | AZ Abu Dhabi | DU Dubai | FU Fujairah | RK Ras al-Khaimah | SH Sharjah | UQ Umm al-Quwain
""",
    "AU": """
ACT Australian Capital Territory | NSW New South Wales | NT Northern Territory | QLD Queensland |
SA South Australia | TAS Tasmania | VIC Victoria | WA Western Australia
""",
    "BR": """
AC Acre | AL Alagoas | AM Amazonas | AP Amapá | BA Bahia | CE Ceará | DF Distrito Federal | ES Espírito Santo |
GO Goiás | MA Maranhão | MG Minas Gerais | MS Mato Grosso do Sul | MT Mato Grosso | PA Pará | PB Paraíba |
PE Pernambuco | PI Piauí | PR Paraná | RJ Rio de Janeiro | RN Rio Grande do Norte | RO Rondônia | RR Roraima |
RS Rio Grande do Sul | SC Santa Catarina | SE Sergipe | SP São Paulo | TO Tocantins
""",
    "CA": """
AB Alberta | BC British Columbia | MB Manitoba | NB New Brunswick | NL Newfoundland and Labrador | NS Nova Scotia |
NT Northwest Territories | NU Nunavut | ON Ontario | PE Prince Edward Island | QC Quebec | SK Saskatchewan |
YT Yukon
""",
    "IN": """
AN Andaman and Nicobar Islands | AP Andhra Pradesh | AR Arunachal Pradesh | AS Assam | BR Bihar | CG Chhattisgarh |
CH Chandigarh | DH Dadra and Nagar Haveli and Daman and Diu | DL Delhi | GA Goa | GJ Gujarat |
HP Himachal Pradesh | HR Haryana | JH Jharkhand | JK Jammu and Kashmir | KA Karnataka | KL Kerala | LA Ladakh |
LD Lakshadweep | MH Maharashtra | ML Meghalaya | MN Manipur | MP Madhya Pradesh | MZ Mizoram | NL Nagaland |
OD Odisha | PB Punjab | PY Puducherry | RJ Rajasthan | SK Sikkim | TN Tamil Nadu | TR Tripura | TS Telangana |
UK Uttarakhand | UP Uttar Pradesh | WB West Bengal
""",
    "MX": """
AGU Aguascalientes | BCN Baja California | BCS Baja California Sur | CAM Campeche | CHH Chihuahua | CHP Chiapas |
CMX Ciudad de México | COA Coahuila | COL Colima | DUR Durango | GRO Guerrero | GUA Guanajuato | HID Hidalgo |
JAL Jalisco | MEX México | MIC Michoacán | MOR Morelos | NAY Nayarit | NLE Nuevo León | OAX Oaxaca | PUE Puebla |
QUE Querétaro | ROO Quintana Roo | SIN Sinaloa | SLP San Luis Potosí | SON Sonora | TAB Tabasco | TAM Tamaulipas |
TLA Tlaxcala | VER Veracruz | YUC Yucatán | ZAC Zacatecas
""",
    "US": """
AK Alaska | AL Alabama | AR Arkansas | AZ Arizona | CA California | CO Colorado | CT Connecticut |
DC District of Columbia | DE Delaware | FL Florida | GA Georgia | HI Hawaii | IA Iowa | ID Idaho | IL Illinois |
IN Indiana | KS Kansas | KY Kentucky | LA Louisiana | MA Massachusetts | MD Maryland | ME Maine | MI Michigan |
MN Minnesota | MO Missouri | MS Mississippi | MT Montana | NC North Carolina | ND North Dakota | NE Nebraska |
NH New Hampshire | NJ New Jersey | NM New Mexico | NV Nevada | NY New York | OH Ohio | OK Oklahoma | OR Oregon |
PA Pennsylvania | RI Rhode Island | SC South Carolina | SD South Dakota | TN Tennessee | TX Texas | UT Utah |
VA Virginia | VT Vermont | WA Washington | WI Wisconsin | WV West Virginia | WY Wyoming
""",
}


def _pairs(block: str) -> dict[str, str]:
    """A block of `CODE Name | CODE Name | ...` as code -> name."""
    rows = (cell.strip().partition(" ") for cell in block.split("|"))
    return {code: name for code, _, name in rows}


COUNTRIES: dict[str, Country] = {
    code: Country(code, name, code not in _NO_ZIP.split(), _pairs(_STATES[code]) if code in _STATES else {})
    for code, name in _pairs(_NAMES).items()
}
