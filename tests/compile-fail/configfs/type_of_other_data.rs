// SPDX-License-Identifier: GPL-2.0
//@ error: E0308
//@ message: one type is more general than the other

// The attributes of data are not those of data that it is a subtype of.

use kernel::configfs::{
    AttributeList,
    Group,
    ItemType, //
};

type Any = for<'a> fn(&'a u8);
type One = fn(&'static u8);

#[cfg(not(wrong))]
fn item_type(item_type: &ItemType<Group<Any>, Any>) -> &ItemType<Group<Any>, Any> {
    item_type
}

#[cfg(wrong)]
fn item_type(item_type: &ItemType<Group<Any>, Any>) -> &ItemType<Group<One>, One> {
    item_type //~
}

#[cfg(not(wrong))]
fn list(list: &AttributeList<1, Any>) -> &AttributeList<1, Any> {
    list
}

#[cfg(wrong)]
fn list(list: &AttributeList<1, Any>) -> &AttributeList<1, One> {
    list //~
}
