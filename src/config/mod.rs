//! The project: files as typed, checked all at once, become a plan.

mod across;
mod attempt;
mod connections;
mod crosswalk;
mod dataset;
mod explain;
mod family;
mod files;
mod load;
mod made;
mod plan;
mod project;
mod rules;
mod schema;
mod settle;
mod side;
mod tables;

pub use connections::{ProjectConnections, connections};
pub use crosswalk::Crosswalk;
pub use explain::{KindInfo, SECTIONS, all_kinds, causes, explain, page_of};
pub use family::RuleFamily;
pub use load::load;
pub use plan::{Dataset, GateConfig, MadeSide, Plan, Rule, SidePlan};
pub use schema::{dataset_schema, project_schema};
pub use settle::{Accepted, Settled, settle};
pub use tables::Tables;
