using CloudPeer.Sync.Wire;
using CloudPeer.TestKit;
using Google.Protobuf;
using Tlfs.Core.Crypto;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;

namespace CloudPeer.Bench.Load;

/// <summary>
/// A document whose owner writes and others read. Its envelopes are real: sealed, chained and signed; they are made before a clock starts.
/// One task at a time.
/// </summary>
internal sealed class LoadDocument
{
    /// <summary>Bytes that an envelope carries.</summary>
    public const int PayloadBytes = 512;

    /// <summary>Envelopes of the largest push.</summary>
    public const int PushEnvelopes = 512;

    private readonly SigningKey _owner;
    private readonly SecretKey _contentKey = SecretKey.Random(SystemEntropy.Instance);
    private readonly PartContent _content = new(default, [Canonical.Encode(writer => writer.Bytes(SystemEntropy.Instance.Bytes(PayloadBytes)))]);
    private readonly EnvelopeId _epoch;
    private readonly IReadOnlyList<Envelope> _statements;
    private Draft _next;

    /// <summary>A document that is nowhere yet.</summary>
    /// <param name="owner">Its owner's key, which stays the caller's.</param>
    /// <param name="server">Gets Sync.</param>
    /// <param name="readers">Get Sync.</param>
    public LoadDocument(SigningKey owner, PeerId server, IEnumerable<PeerId> readers)
    {
        _owner = owner;
        var builder = new DocumentBuilder(SystemEntropy.Instance, owner);
        builder.NextGrant(owner, server, Permission.Sync);
        foreach (var reader in readers) builder.NextGrant(owner, reader, Permission.Sync);
        builder.Authority.Dispose();
        Id = builder.Id;
        _epoch = builder.Genesis.Id;
        _statements = builder.Envelopes;
        _next = builder.Draft(owner.Public);
        WireId = Id.ToWire();
        Size = (ulong)_statements.Count;
    }

    /// <summary>The document.</summary>
    public DocId Id { get; }

    /// <inheritdoc cref="Id"/>
    public ByteString WireId { get; }

    /// <summary>Envelopes of the log once all that was made of it is there.</summary>
    public ulong Size { get; private set; }

    /// <summary>Bytes of the last envelope that was made.</summary>
    public int EnvelopeBytes { get; private set; }

    /// <summary>A document that its owner's server has.</summary>
    public static async Task<LoadDocument> HostAsync(LoadDevice owner, params IEnumerable<PeerId> readers)
    {
        var document = new LoadDocument(owner.Key, owner.Target.Peer, readers);
        foreach (var bundle in document._statements.Chunk(PushEnvelopes)) await owner.PushAsync(document.Id, bundle.Select(statement => statement.Bytes));
        return document;
    }

    /// <summary>The owner's next envelope.</summary>
    public Envelope Next()
    {
        var envelope = _next.SealDelta(_owner, SystemEntropy.Instance, _epoch, _contentKey, _content);
        _next = _next with { Seq = _next.Seq + 1, Prev = envelope.Id, Deps = [] };
        Size++;
        EnvelopeBytes = envelope.Bytes.Length;
        return envelope;
    }

    /// <summary>The owner's next push, as a frame.</summary>
    /// <param name="envelopes">Envelopes in it, which are one bundle.</param>
    public V1.ClientFrame NextPush(int envelopes)
    {
        var bundle = new V1.Bundle();
        for (var i = 0; i < envelopes; i++) bundle.Envelopes.Add(Next().Bytes.ToWire());
        return new() { Push = new() { Document = WireId, Bundles = { bundle } } };
    }

    /// <summary>Pushes envelopes until the log has so many.</summary>
    public async Task FillAsync(LoadDevice owner, int size)
    {
        var room = Math.Max(0, size - (int)Size);
        for (var left = room; left > 0; left -= PushEnvelopes)
        {
            var bundle = new ReadOnlyMemory<byte>[Math.Min(left, PushEnvelopes)];
            for (var i = 0; i < bundle.Length; i++) bundle[i] = Next().Bytes;
            await owner.PushAsync(Id, bundle);
        }
    }
}
