//! Tenure codes of the old system, and what the new one makes of them.

use super::clean::row_version;
use super::table::{Row, plain};
use super::world::{TENURES, World};

/// The code list of the old system.
const TENURE_CODES: &[(&str, &str)] = &[
    ("ASY", "Asylum Seeker"),
    ("COM", "Commercial Let"),
    ("DEC", "Temp Decant"),
    ("FRE", "Freehold"),
    ("FRS", "Freehold (Serv)"),
    ("INT", "Introductory"),
    ("LEA", "Leasehold (RTB)"),
    ("LHS", "Lse 100% Stair"),
    ("LTA", "License Temp Ac"),
    ("MPA", "Mense Profit Ac"),
    ("NON", "Non-Secure"),
    ("PVG", "Private Garage"),
    ("RSL", "Registered Social Landlord"),
    ("RTM", "RenttoMortgage"),
    ("SEC", "Secure"),
    ("SHO", "Shared Owners"),
    ("SLL", "Short Life Lse"),
    ("SPS", "Private Sale LH"),
    ("SSE", "Shared Equity"),
    ("TAF", "Tenant Acc Flat"),
    ("TBB", "Temp B&B"),
    ("TGA", "Tenant Garage"),
    ("THL", "Temp Hostel Lse"),
    ("THO", "Temp Hostel"),
    ("TLA", "Temp Annex"),
    ("TPL", "Temp Private Lt"),
    ("TRA", "Temp Traveller"),
];

/// What the lookup file makes of a tenure code in use; nothing for a code that it does not have.
pub fn tenure_description(code: &str) -> &'static str {
    match code {
        "SEC" => "Secure",
        "INT" => "Introductory",
        "NON" => "Non-Secure",
        "LEA" => "Leasehold (RTB)",
        "MPA" => "Mesne Profit Ac",
        "SHO" => "Shared Owners",
        "FRE" => "Freehold",
        "TAF" => "Tenant Acc Flat",
        _ => "",
    }
}

/// Adds the old system's code list.
pub fn add(world: &mut World) {
    for (i, (code, text)) in TENURE_CODES.iter().enumerate() {
        let cells = vec![
            plain(*code),
            plain(*text),
            plain((i + 1).to_string()),
            plain(""),
            plain(""),
            row_version(i),
        ];
        world.source[TENURES].rows.push(Row::new(*code, cells));
    }
}
