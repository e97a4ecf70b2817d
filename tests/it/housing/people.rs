//! Made-up people: names, telephone numbers kept for drama, insurance numbers that are never issued.

use std::collections::BTreeSet;

use super::random::{Day, Random};

#[rustfmt::skip]
const WOMEN: &[&str] = &[
    "Abena", "Aisha", "Amara", "Anneka", "Ayse", "Beatrice", "Blessing", "Camille", "Chloë", "Comfort",
    "Deborah", "Dilek", "Dorothy", "Elif", "Esther", "Fatima", "Folasade", "Frances", "Grace", "Hannah",
    "Ines", "Jacqueline", "Jasmin", "Joan", "Josephine", "Kezia", "Leyla", "Linh", "Marcia", "Margaret",
    "Mei", "Miriam", "Nadia", "Ngozi", "Noor", "Patience", "Pauline", "Renée", "Rivka", "Ruth", "Sandra",
    "Shanice", "Siân", "Sofia", "Sylvia", "Thuy", "Valerie", "Winifred", "Yetunde", "Zoë",
];
#[rustfmt::skip]
const MEN: &[&str] = &[
    "Abdul", "Ahmet", "Alan", "Anthony", "Arkadiusz", "Ashok", "Babatunde", "Barrington", "Brian", "Chaim",
    "Clarence", "Courtney", "Daniel", "Delroy", "Desmond", "Edwin", "Emmanuel", "Errol", "Femi",
    "Frederick", "Godfrey", "Hassan", "Hüseyin", "Ibrahim", "Jamal", "José", "Joseph", "Kemal", "Kwame",
    "Leroy", "Lloyd", "Marek", "Mehmet", "Mohammed", "Neville", "Nnamdi", "Oscar", "Patrick", "Quang",
    "Raymond", "Reuben", "Rohan", "Samuel", "Seán", "Solomon", "Stephen", "Tariq", "Tunde", "Vincent",
    "Winston",
];
#[rustfmt::skip]
const SURNAMES: &[&str] = &[
    "Abrahams", "Adeyemi", "Agyeman", "Ahmed", "Akhtar", "Amponsah", "Asante", "Aydin", "Bailey", "Balogun",
    "Barrett", "Begum", "Bell", "Boateng", "Brown", "Campbell", "Carter", "Chowdhury", "Clarke", "Cohen",
    "Cooper", "D'Souza", "Danso", "Davies", "Demir", "Diallo", "Edwards", "Evans", "Farah", "Ferreira",
    "Forde", "Francis", "Friedman", "Gordon", "Grant", "Green", "Hall", "Harris", "Hassan", "Henry",
    "Hoang", "Hussain", "Ibrahim", "Jackson", "James", "Johnson", "Joseph", "Kaya", "Kelly", "Khan", "King",
    "Klein", "Kowalski", "Le", "Lewis", "Lopez", "Malik", "Martin", "Mbeki", "McDonald", "McKenzie",
    "Mensah", "Mitchell", "Morgan", "Morrison", "Nguyen", "Nowak", "O'Connor", "O'Neill", "Obi", "Okafor",
    "Okonkwo-Reid", "Olawale", "Osei", "Owusu", "Ozturk", "Patel", "Phillips", "Pinnock", "Rahman", "Reid",
    "Roberts", "Rosenberg", "Samuels", "Sesay", "Shah", "Silva", "Singh", "Smith", "Steele", "Taylor",
    "Thomas", "Thompson", "Tran", "Turner", "Walker", "Warsame", "Weiss", "Williams", "Wilson", "Wong",
    "Wright", "Yeboah", "Yilmaz", "Young",
];
/// Prefixes that HMRC does not issue, or uses for administration only.
const NINO_PREFIXES: &[&str] = &["BG", "KN", "MW", "NK", "NT", "OO", "PP", "PZ", "ZZ"];

/// A person.
#[derive(Clone)]
pub struct Person {
    pub title: &'static str,
    pub forename: &'static str,
    pub surname: &'static str,
    pub gender: &'static str,
    pub born: Day,
    pub nino: Option<String>,
}

/// Makes people, no two with one name and date of birth.
#[derive(Default)]
pub struct People {
    seen: BTreeSet<(String, String, i64)>,
    ninos: i64,
}

impl People {
    /// Makes a person born in one of these years, with an insurance number or without.
    pub fn person(
        &mut self,
        random: &mut Random,
        surname: Option<&'static str>,
        years: (i64, i64),
        nino: bool,
    ) -> Person {
        loop {
            let woman = random.chance(53);
            let forename = random.pick(if woman { WOMEN } else { MEN });
            let surname = surname.filter(|_| random.chance(80)).unwrap_or_else(|| random.pick(SURNAMES));
            let born = Day::of(random.range(years.0, years.1), random.range(1, 12), random.range(1, 28));
            if !self.seen.insert((forename.to_lowercase(), surname.to_lowercase(), born.0)) {
                continue;
            }
            let title = match (woman, years.0 > 2008) {
                (true, true) => "Miss",
                (false, true) => "Master",
                (true, false) => random.pick(&["Mrs", "Ms", "Miss"]),
                (false, false) => "Mr",
            };
            let nino = nino.then(|| {
                self.ninos += 1;
                let prefix = NINO_PREFIXES[self.ninos as usize % NINO_PREFIXES.len()];
                format!("{prefix}{:06}{}", 100_003 + self.ninos * 137, random.pick(&["A", "B", "C", "D"]))
            });
            return Person { title, forename, surname, gender: if woman { "F" } else { "M" }, born, nino };
        }
    }
}

/// A mobile or London number from the ranges that Ofcom keeps for drama.
pub fn telephone(random: &mut Random) -> String {
    let end = random.range(0, 999);
    if random.chance(75) { format!("07700900{end:03}") } else { format!("02079460{end:03}") }
}

/// A number for next of kin, from another such range.
pub fn other_telephone(random: &mut Random) -> String {
    format!("01632960{:03}", random.range(0, 999))
}

/// An address at a domain kept for examples.
pub fn email(random: &mut Random, person: &Person) -> String {
    let ascii =
        |text: &str| -> String { text.to_lowercase().chars().filter(char::is_ascii_alphabetic).collect() };
    let domain = random.pick(&["example.com", "example.org", "example.net"]);
    format!("{}.{}@{domain}", ascii(person.forename), ascii(person.surname))
}
