using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Radix;

/// <summary>
/// The side that answers while another one finds out how its set of ids differs (docs/protocol/reconcile.md). It answers about the version it was
/// given and remembers nothing of a session but its nonce.
/// </summary>
/// <param name="tree">The tree with the ids.</param>
/// <param name="prefix">What the ids' keys start with; 32 bytes must follow it, and values must be empty.</param>
public sealed class ReconcileResponder(RadixTree tree, ReadOnlyMemory<byte> prefix)
{
    /// <summary>Sets and parts of at most this many ids are listed at once.</summary>
    internal const int FewIds = 64;

    /// <summary>At most this many short forms are listed for one range.</summary>
    internal const int ManyIds = 256;

    /// <summary>At most this many whole ids are listed for one range.</summary>
    internal const int ManyWholeIds = 1024;

    private readonly IdSet _set = new(tree, prefix);
    private ReconcileKey? _key;

    /// <inheritdoc cref="ReconcileKey.WholeMask" />
    internal ulong ShortMask { get; init; } = ReconcileKey.WholeMask;

    /// <summary>Answers one message. Whatever the bytes are, the work and the answer are bounded.</summary>
    /// <param name="message">The bytes from the other side.</param>
    /// <param name="answer">The bytes to send back, when true is returned; at most 64 KiB.</param>
    /// <param name="error">Why the message is refused, when false is returned.</param>
    public bool TryAnswer(ReadOnlyMemory<byte> message, out byte[] answer, out DecodeError error)
    {
        answer = [];
        if (!ReconcileMessage.TryDecode(message, out var decoded, out error)) return false;
        var reply = decoded switch
        {
            { Kind: ReconcileKind.Hello } => Begin(decoded),
            { Kind: ReconcileKind.Ask } when _key is not null && decoded.Items.All(IsQuestion) => Answer(decoded.Items, _key),
            _ => null,
        };
        if (reply is null)
        {
            error = new(Reason.Malformed, "not a question of a reconciliation");
            return false;
        }

        answer = reply.Encode();
        return true;
    }

    /// <summary>Takes up a session that another responder over the same version began, so that whoever answers must not keep it.</summary>
    /// <param name="hello">The hello of the session's attempt.</param>
    /// <param name="error">Why it is refused, when false is returned.</param>
    public bool TryResume(ReadOnlyMemory<byte> hello, out DecodeError error)
    {
        if (!ReconcileMessage.TryDecode(hello, out var decoded, out error)) return false;
        if (decoded!.Kind == ReconcileKind.Hello) _key = new(decoded.Nonce, ShortMask);
        else error = new(Reason.Malformed, "not the hello of a reconciliation");
        return error == default;
    }

    private ReconcileMessage Begin(ReconcileMessage hello)
    {
        _key = new(hello.Nonce, ShortMask);
        var (count, hash) = (_set.Count(IdRange.All), _set.Hash(IdRange.All) ?? default);
        if (hello.Count == count && hello.Hash == hash) return new(ReconcileKind.Equal);
        var item = count <= ManyIds ? Shorts(IdRange.All, _key) : _key.Fingerprints(_set, IdRange.All, count <= 64 * 256 ? 2 : 3);
        return new(ReconcileKind.Start) { Count = count, Hash = hash, Items = [item] };
    }

    private bool IsQuestion(ReconcileItem item) => item.Kind switch
    {
        ReconcileItemKind.Fingerprints => item.Levels == 1,
        ReconcileItemKind.Want => _set.Count(item.Range) <= ManyIds,
        ReconcileItemKind.List or ReconcileItemKind.ListWhole => true,
        _ => false,
    };

    private ReconcileMessage Answer(IReadOnlyList<ReconcileItem> asked, ReconcileKey key)
    {
        var items = new List<ReconcileItem>();
        var (answered, length) = (0, 0);
        foreach (var item in asked)
        {
            var more = Answer(item, key).ToList();
            length += more.Sum(one => one.Length);
            if (answered > 0 && length > ReconcileMessage.ItemBytes) break;
            items.AddRange(more);
            answered++;
        }

        return new(ReconcileKind.Answer) { Answered = answered, Items = items };
    }

    private IEnumerable<ReconcileItem> Answer(ReconcileItem item, ReconcileKey key)
    {
        var count = _set.Count(item.Range);
        switch (item.Kind)
        {
            case ReconcileItemKind.Fingerprints:
                return Enumerable.Range(0, 16).Where(i => key.Fingerprint(_set, item.Range.Part(i, 1)) != item.Shorts[i])
                    .Select(i => Part(item.Range.Part(i, 1), key));
            case ReconcileItemKind.Want:
                var wanted = item.Shorts.ToHashSet();
                return [Ids(item.Range, id => wanted.Contains(key.Short(id)))];
            case ReconcileItemKind.ListWhole when count <= ManyWholeIds:
                return [Ids(item.Range, _ => true)];
            case ReconcileItemKind.List when count <= ManyIds:
                return [Shorts(item.Range, key)];
            default:
                return [key.Fingerprints(_set, item.Range)];
        }
    }

    private ReconcileItem Part(IdRange range, ReconcileKey key) =>
        _set.Count(range) <= FewIds ? Shorts(range, key) : key.Fingerprints(_set, range);

    private ReconcileItem Shorts(IdRange range, ReconcileKey key) => new(ReconcileItemKind.Shorts, range, [.. _set.Ids(range).Select(key.Short)]);

    private ReconcileItem Ids(IdRange range, Func<Bytes32, bool> isAsked) =>
        new(ReconcileItemKind.Ids, range, [], [.. _set.Ids(range).Where(isAsked)]);
}
