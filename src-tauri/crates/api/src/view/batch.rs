//! The request that an attempt shared with others.

use signalbox_store::read::{self, RecordEnd};

use crate::dto::attempt::{AttemptBatch, BatchRecord, RecordStatus};

pub(crate) fn batch(batch: &read::AttemptBatch) -> AttemptBatch {
    let records: Vec<BatchRecord> = batch.records.iter().map(record).collect();
    let delivered = records.iter().filter(|record| record.status == RecordStatus::Delivered).count();
    AttemptBatch {
        key: batch.key.clone(),
        size: batch.size,
        delivered: count(delivered),
        failed: count(records.len() - delivered),
        records,
    }
}

fn record(record: &read::BatchRecord) -> BatchRecord {
    BatchRecord {
        delivery: record.delivery.to_string(),
        status: match record.end {
            RecordEnd::Delivered => RecordStatus::Delivered,
            RecordEnd::Retrying => RecordStatus::Retrying,
            RecordEnd::Dead => RecordStatus::Dead,
        },
        message: record.message.clone(),
    }
}

fn count(records: usize) -> u32 {
    u32::try_from(records).unwrap_or(u32::MAX)
}

/// "It went with 36 others in one request; 2 of the 37 failed."
pub(crate) fn sentence(batch: &read::AttemptBatch) -> String {
    let batch = self::batch(batch);
    let others = match batch.size.saturating_sub(1) {
        0 => return String::new(),
        1 => "one other".to_owned(),
        others => format!("{others} others"),
    };
    let failed = match batch.failed {
        0 => "none failed".to_owned(),
        failed => format!("{failed} of the {} failed", batch.size),
    };
    format!(" It went with {others} in one request; {failed}.")
}

#[cfg(test)]
mod tests {
    use signalbox_model::DeliveryId;

    use super::*;

    fn of(ends: &[RecordEnd]) -> read::AttemptBatch {
        let records = ends.iter().zip(1..).map(|(end, bits)| read::BatchRecord {
            delivery: DeliveryId::from_bits(bits),
            end: *end,
            message: None,
        });
        read::AttemptBatch { key: "k".into(), size: u32::try_from(ends.len()).unwrap(), records: records.collect() }
    }

    #[test]
    fn a_batch_is_told_in_a_sentence() {
        let ends = [RecordEnd::Delivered, RecordEnd::Retrying, RecordEnd::Dead];
        assert_eq!(sentence(&of(&ends)), " It went with 2 others in one request; 2 of the 3 failed.");
        assert_eq!(sentence(&of(&[RecordEnd::Delivered; 2])), " It went with one other in one request; none failed.");
        assert_eq!(sentence(&of(&[RecordEnd::Dead])), "");
    }
}
