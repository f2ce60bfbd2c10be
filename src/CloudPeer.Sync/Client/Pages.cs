using System.Diagnostics.CodeAnalysis;
using CloudPeer.Sync.Log;
using CloudPeer.Sync.Relay;
using CloudPeer.Sync.Wire;
using Tlfs.Core;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace CloudPeer.Sync.Client;

/// <summary>An entry of a server's log.</summary>
/// <param name="Id">The envelope's id.</param>
/// <param name="Envelope">The envelope, perhaps with parts withheld; null if only its id was sent, because it is the caller's own.</param>
public sealed record PulledEntry(EnvelopeId Id, Envelope? Envelope);

/// <summary>What is wanted of a log.</summary>
/// <param name="From">The first index.</param>
public sealed record PullOptions(ulong From)
{
    /// <summary>The first index that is not wanted; 0 for the end of the log.</summary>
    public ulong Until { get; init; }

    /// <summary>Has this device's own envelopes sent as ids only.</summary>
    public bool OmitOwn { get; init; }

    /// <summary>Has all parts withheld.</summary>
    public bool HeadersOnly { get; init; }
}

/// <summary>A piece of a server's log. Envelopes are decoded; their signatures are for the document to check, the head for <see cref="LogCursor"/>.</summary>
/// <param name="FirstIndex">The index of the first entry.</param>
/// <param name="Entries">Dense from there.</param>
/// <param name="Head">The head that ends the log here; null while more follows.</param>
/// <param name="Generation">A generation of the log; such pages come first and have nothing else.</param>
public sealed record PulledPage(ulong FirstIndex, IReadOnlyList<PulledEntry> Entries, LogHead? Head, Generation? Generation = null)
{
    internal static PulledPage Read(DocId document, ulong expected, V1.Entries entries)
    {
        if (WireIds.Read<DocId>(entries.Document, "document") != document || entries.FirstIndex != expected)
            throw new TlfsException(Reason.Malformed, "the server sent other log entries than were asked for");
        return new(expected, [.. entries.Entries_.Select(Read)], null);
    }

    internal static PulledPage Read(ulong expected, V1.LogHead head) => new(expected, [], WireLog.Read(head));

    internal static PulledPage Read(ulong expected, V1.Generation generation) => new(expected, [], null, WireLog.Read(generation));

    private static bool TryDecode(V1.Entry entry, [NotNullWhen(true)] out Envelope? envelope, out DecodeError error)
    {
        if (entry.Partial is not { } partial) return Envelope.TryDecode(entry.Envelope.Memory, out envelope, out error);
        return Envelope.TryDecodePartial(
            partial.Head.Memory, [.. partial.Parts.Select(part => part.IsEmpty ? default(ReadOnlyMemory<byte>?) : part.Memory)], out envelope, out error);
    }

    private static PulledEntry Read(V1.Entry entry)
    {
        if (entry.ContentCase == V1.Entry.ContentOneofCase.Id) return new(WireIds.Read<EnvelopeId>(entry.Id, "envelope"), null);
        return TryDecode(entry, out var envelope, out var error)
            ? new(envelope.Id, envelope)
            : throw new TlfsException(error.Reason, $"the server sent something that is not an envelope ({error.Detail})");
    }
}

/// <summary>What became of one pushed bundle: receipts for all of its envelopes, or a refusal.</summary>
/// <param name="Receipts">Verified receipts, one for each envelope, in their order; empty if refused.</param>
/// <param name="Refusal">The refusal, or null.</param>
public sealed record PushResult(IReadOnlyList<Receipt> Receipts, Refusal? Refusal)
{
    internal static IReadOnlyList<PushResult> Read(V1.PushResponse response, PeerId server, DocId document, IReadOnlyList<IReadOnlyList<Envelope>> bundles)
    {
        if (response.Results.Count != bundles.Count) throw new TlfsException(Reason.Malformed, "the server did not answer for each bundle");
        return [.. response.Results.Select((result, i) => Read(result, server, document, bundles[i]))];
    }

    private static PushResult Read(V1.BundleResult result, PeerId server, DocId document, IReadOnlyList<Envelope> bundle)
    {
        if (result.Refusal is not null) return new([], WireRefusal.Read(result.Refusal));
        var receipts = result.Receipts.Select(WireLog.Read).ToArray();
        return Attest(receipts, server, document, bundle)
            ? new(receipts, null)
            : throw new TlfsException(Reason.BadSignature, "the server's receipts do not prove that it holds what was pushed; nothing counts as sent");
    }

    /// <summary>True if each envelope has a receipt for it, in the same order, that verifies offline (docs/protocol/log.md §4.4).</summary>
    public static bool Attest(IReadOnlyList<Receipt> receipts, PeerId server, DocId document, IReadOnlyList<Envelope> envelopes) =>
        receipts.Count == envelopes.Count
        && receipts.Zip(envelopes).All(pair => Attests(pair.First, server, document, pair.Second.Id));

    private static bool Attests(Receipt receipt, PeerId server, DocId document, EnvelopeId envelope) =>
        receipt.Server == server && receipt.Leaf.Document == document && receipt.Leaf.Envelope == envelope && receipt.Verify();
}

/// <summary>A message that waits in an inbox.</summary>
/// <param name="Id">The message.</param>
/// <param name="Bytes">The sealed message (docs/protocol/account.md §3).</param>
public sealed record InboxEntry(MessageId Id, ReadOnlyMemory<byte> Bytes);
