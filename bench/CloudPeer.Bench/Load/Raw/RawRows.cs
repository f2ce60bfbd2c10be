using Tlfs.Core.Crypto;
using Tlfs.Core.Sealing;

namespace CloudPeer.Bench.Load.Raw;

/// <summary>
/// Rows as the relay writes them, for a table of any shape that its log has or may get: a value follows from the column's name and from whether it is
/// bytes or a number.
/// </summary>
internal sealed class RawRows
{
    private const int Documents = 1_000;
    private readonly Envelope _sample;
    private readonly byte[][] _documents;
    private readonly byte[] _hash = SystemEntropy.Instance.Bytes(32);

    /// <summary>Rows of 1,000 documents.</summary>
    public RawRows()
    {
        using var owner = SigningKey.Generate(SystemEntropy.Instance);
        var document = new LoadDocument(owner, owner.Public, []);
        document.Next();
        _sample = document.Next();
        _documents = [.. Enumerable.Range(0, Documents).Select(_ => SystemEntropy.Instance.Bytes(32))];
    }

    /// <summary>Bytes of the envelope that each row holds.</summary>
    public int EnvelopeBytes => _sample.Bytes.Length;

    /// <summary>Verifies the signature of an envelope like them.</summary>
    public void Verify()
    {
        if (!_sample.VerifySignature()) throw new InvalidOperationException("The envelope is not signed.");
    }

    /// <summary>The value of a byte column.</summary>
    /// <param name="row">The row's number; a document gets every thousandth.</param>
    /// <param name="column">Its name.</param>
    public byte[] Bytes(int row, string column) => column switch
    {
        "doc" => _documents[row % Documents],
        "header" => _sample.HeaderBytes.ToArray(),
        "signature" => _sample.Signature.ToArray(),
        "body" => [],
        "parts" => _sample.PartBytes.ToArray(),
        "bytes" or "envelope" => _sample.Bytes.ToArray(),
        _ => _hash,
    };

    /// <summary>The value of a number column.</summary>
    /// <inheritdoc cref="Bytes"/>
    public static long Number(int row, string column) => column switch
    {
        "idx" or "seq" => row / Documents,
        "kind" => 1,
        _ => 0,
    };
}
