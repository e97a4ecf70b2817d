//! The columns of every file.

use super::table::Side;

/// The old system's tables, in the order of the datasets' numbers.
pub fn source() -> Vec<Side> {
    vec![
        Side::new(
            "data/source/property.csv",
            "prop_ref:12 major_ref:12 subtyp_code:3 post_code:10 post_desig:40 u_llpgref=uprn:12 u_year_built:4 \
             arr_patch:3 arr_officer:3 num_bedrooms letable u_floor_area epc_cert_date property_sid comp_avail \
             comp_display tstamp",
        ),
        Side::new(
            "data/source/househ.csv",
            "house_ref:10 prop_ref:12 joint_ten telephone:21 email_address nextkinname nextkintel house_size \
             house_kids hb_status:1 address_date househ_sid comp_avail comp_display tstamp",
        ),
        Side::new(
            "data/source/member.csv",
            "house_ref:10 person_no title:10 forename:24 surname:20 ci_surname dob gender:1 ni_no:12 relationship:1 \
             responsible member_sid comp_avail comp_display tstamp",
        ),
        Side::new(
            "data/source/tenagree.csv",
            "tag_ref:11 prop_ref:12 house_ref:10 tenure:3 tenure_ori:3 u_saff_rentacc=payment_ref:20 cot eot present \
             terminated active cur_bal rent reason_term:3 tenagree_sid comp_avail comp_display tstamp",
        ),
        Side::new(
            "data/source/rtrans.csv",
            "batchid transno line_no tag_ref:11 trans_type:3 post_date real_value updated_at rtrans_sid comp_avail \
             comp_display tstamp",
        ),
        Side::new(
            "data/source/tenure.csv",
            "ten_type:3 ten_desc:30 tenure_sid comp_avail:200 comp_display:200 tstamp",
        ),
    ]
}

/// The new system's tables; the code list has none.
pub fn target() -> Vec<Side> {
    vec![
        Side::new(
            "data/target/assets.csv",
            "asset_reference=prop_ref parent_reference=major_ref asset_type=subtyp_code post_code \
             address_line_1=post_desig uprn year_constructed=u_year_built patch=arr_patch bedrooms=num_bedrooms \
             is_lettable=letable floor_area=u_floor_area energy_certificate_date=epc_cert_date version_number",
        ),
        Side::new(
            "data/target/households.csv",
            "household_reference=house_ref property_reference=prop_ref is_joint=joint_ten \
             phone=telephone email=email_address next_of_kin=nextkinname next_of_kin_phone=nextkintel \
             people=house_size children=house_kids benefit_status=hb_status at_address_since=address_date",
        ),
        Side::new(
            "data/target/persons.csv",
            "household_reference=house_ref person_number=person_no title first_name=forename surname \
             date_of_birth=dob gender national_insurance_number=ni_no is_responsible=responsible",
        ),
        Side::new(
            "data/target/tenures.csv",
            "tenure_guid uh_reference=tag_ref property_reference=prop_ref household_reference=house_ref \
             tenure_type=tenure payment_reference=payment_ref start_of_tenure=cot end_of_tenure=eot \
             is_present=present is_terminated=terminated current_balance=cur_bal rent \
             reason_for_termination=reason_term",
        ),
        Side::new(
            "data/target/transactions.csv",
            "batch=batchid number=transno line=line_no tenure_reference=tag_ref transaction_type=trans_type \
             transaction_date=post_date amount=real_value updated_at",
        ),
    ]
}
