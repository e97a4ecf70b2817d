//! Fetches the rows of a query by ODBC into buffers, throws them away, and prints how many there were.
//!
//! `bare_fetch QUERY BUFFER...`: the connection string is in the environment variable `BARE_FETCH`. A buffer for each
//! column: `i64`, `date`, `timestamp`, `text:N`, `wide:N`, N being the longest value. Blocks are as large as
//! Counterfoil's: 1 MiB, or 8,192 rows.

use std::error::Error;

use odbc_api::buffers::{BufferDesc, ColumnarDynBuffer};
use odbc_api::{ConnectionOptions, Cursor, environment};

const BUFFERS: usize = 1 << 20;
const MOST_ROWS: usize = 8_192;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let query = arguments.next().ok_or("a query is missing")?;
    let buffers: Vec<BufferDesc> = arguments.map(|word| buffer(&word)).collect::<Result<_, _>>()?;
    let row: usize = buffers.iter().map(|buffer| buffer.bytes_per_row()).sum::<usize>() + 1;
    let buffers = ColumnarDynBuffer::try_from_descs((BUFFERS / row).clamp(1, MOST_ROWS), buffers)?;
    let connection = environment()?
        .connect_with_connection_string(&std::env::var("BARE_FETCH")?, ConnectionOptions::default())?;
    let mut statement = connection.preallocate()?;
    let cursor = statement.execute(&query, ())?.ok_or("the query gives no rows")?;
    let mut cursor = cursor.bind_buffer(buffers)?;
    let mut rows = 0;
    while let Some(block) = cursor.fetch()? {
        rows += block.num_rows();
    }
    println!("{rows}");
    Ok(())
}

fn buffer(word: &str) -> Result<BufferDesc, Box<dyn Error>> {
    let (kind, length) = word.split_once(':').unwrap_or((word, "0"));
    // As Counterfoil's, one longer than the longest: a value that fills its buffer was cut off.
    let length = length.parse::<usize>()? + 1;
    Ok(match kind {
        "i64" => BufferDesc::I64 { nullable: true },
        "date" => BufferDesc::Date { nullable: true },
        "timestamp" => BufferDesc::Timestamp { nullable: true },
        "text" => BufferDesc::Text { max_str_len: length },
        "wide" => BufferDesc::WText { max_str_len: length },
        other => return Err(format!("there is no buffer `{other}`").into()),
    })
}
