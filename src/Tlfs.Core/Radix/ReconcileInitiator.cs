using Tlfs.Core.Crypto;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Radix;

/// <summary>
/// The side that finds out which ids only it and only the other side has (docs/protocol/reconcile.md). It sends <see cref="Start"/>, then gives
/// every answer to <see cref="TryReceive"/> and sends what that returns, until there is nothing to send.
/// </summary>
/// <param name="tree">The tree with the ids.</param>
/// <param name="prefix">What the ids' keys start with; 32 bytes must follow it, and values must be empty.</param>
/// <param name="entropy">Makes the nonce, which the makers of ids must not be able to predict.</param>
/// <param name="most">The most ids to learn; a set that is larger than the own one by more is refused.</param>
public sealed class ReconcileInitiator(RadixTree tree, ReadOnlyMemory<byte> prefix, IEntropy entropy, int most = 1 << 22)
{
    private const int Attempts = 3;
    private const int MostOpen = 1 << 16;

    private readonly IdSet _set = new(tree, prefix);
    private readonly HashSet<Bytes32> _onlyHere = [];
    private readonly HashSet<Bytes32> _onlyThere = [];
    private readonly Stack<ReconcileItem> _open = new();
    private List<ReconcileItem> _asked = [];
    private ReconcileKey _key = new([], ReconcileKey.WholeMask);
    private Peer? _peer;
    private int _attempts;
    private long _messagesLeft;

    /// <summary>True once the difference is known, and proven by the hash of the other side's whole set.</summary>
    public bool IsDone { get; private set; }

    /// <summary>Ids that the other side lacks. Meaningful once done.</summary>
    public IReadOnlySet<Bytes32> OnlyHere => _onlyHere;

    /// <summary>Ids that this side lacks. Meaningful once done.</summary>
    public IReadOnlySet<Bytes32> OnlyThere => _onlyThere;

    /// <summary>The first message of the attempt that is under way: who answers and keeps no session is told it with every question.</summary>
    public ReadOnlyMemory<byte> Hello { get; private set; }

    /// <inheritdoc cref="ReconcileKey.WholeMask" />
    internal ulong ShortMask { get; init; } = ReconcileKey.WholeMask;

    private int Count => _set.Count(IdRange.All);

    /// <summary>The first message. Also begins anew.</summary>
    public byte[] Start()
    {
        var nonce = entropy.Bytes(ReconcileMessage.NonceBytes);
        (_key, _peer, IsDone) = (new(nonce, ShortMask), null, false);
        _onlyHere.Clear();
        _onlyThere.Clear();
        _open.Clear();
        _asked = [];
        var hello = new ReconcileMessage(ReconcileKind.Hello) { Nonce = nonce, Count = Count, Hash = _set.Hash(IdRange.All) ?? default }.Encode();
        Hello = hello;
        return hello;
    }

    /// <summary>Takes an answer. After a refusal the session is over.</summary>
    /// <param name="answer">The bytes from the other side.</param>
    /// <param name="next">The next message, at most 64 KiB; null when done or refused.</param>
    /// <param name="error">Why the answer is refused, when false is returned.</param>
    public bool TryReceive(ReadOnlyMemory<byte> answer, out byte[]? next, out DecodeError error)
    {
        next = null;
        if (!ReconcileMessage.TryDecode(answer, out var message, out error)) return false;
        if (message!.Kind == ReconcileKind.Equal && _peer is null)
        {
            IsDone = true;
            return true;
        }

        error = message.Kind switch
        {
            ReconcileKind.Start when _peer is null => Meet(message),
            ReconcileKind.Answer when _peer is not null => Take(message),
            _ => new(Reason.Malformed, "not an answer of a reconciliation"),
        };
        if (error != default) return false;
        return _open.Count > 0 ? Ask(out next) : Finish(out next, out error);
    }

    private DecodeError Meet(ReconcileMessage start)
    {
        if (start.Count > (long)Count + most) return new(Reason.TooLarge, "the other set has too many ids");
        if (start.Items is not [{ Range.Nibbles: 0 } first]) return new(Reason.Malformed, "one item about all ids expected");
        _peer = new(start.Count, start.Hash);
        _messagesLeft = 64 + (((long)Count + start.Count) / 32);
        return Take(first);
    }

    private DecodeError Take(ReconcileMessage answer)
    {
        if (answer.Answered > _asked.Count || answer.Answered < 1) return new(Reason.Malformed, "an answer to something else");
        if (--_messagesLeft < 0) return new(Reason.TooLarge, "too many messages for sets of this size");
        foreach (var item in _asked.Skip(answer.Answered)) _open.Push(item);
        foreach (var item in answer.Items)
        {
            if (!_asked.Take(answer.Answered).Any(asked => asked.Range.Contains(item.Range)))
                return new(Reason.Malformed, "an answer about another range");
            var error = Take(item);
            if (error != default) return error;
        }

        return default;
    }

    private DecodeError Take(ReconcileItem item)
    {
        switch (item.Kind)
        {
            case ReconcileItemKind.Fingerprints:
                for (var i = 0; i < item.Shorts.Length; i++) Compare(item.Range.Part(i, item.Levels), item.Shorts[i]);
                break;
            case ReconcileItemKind.Shorts:
                Match(item);
                break;
            case ReconcileItemKind.Ids:
                _onlyThere.UnionWith(item.Ids.Where(id => !_set.Contains(id)));
                break;
            default:
                return new(Reason.Malformed, "an answer that asks");
        }

        return _open.Count > MostOpen || _onlyThere.Count > _peer!.Count ? new(Reason.TooLarge, "too many ranges or ids") : default;
    }

    private void Compare(IdRange range, ulong theirs)
    {
        if (_key.Fingerprint(_set, range) == theirs) return;
        var count = _set.Count(range);
        if (theirs == 0) _onlyHere.UnionWith(_set.Ids(range));
        else if (count == 0) _open.Push(new(ReconcileItemKind.ListWhole, range));
        else if (count <= ReconcileResponder.FewIds || range.Nibbles == IdRange.MaxNibbles) _open.Push(new(ReconcileItemKind.List, range));
        else _open.Push(_key.Fingerprints(_set, range));
    }

    private void Match(ReconcileItem item)
    {
        var theirs = item.Shorts.ToHashSet();
        foreach (var id in _set.Ids(item.Range))
        {
            if (!theirs.Remove(_key.Short(id))) _onlyHere.Add(id);
        }

        foreach (var some in theirs.Order().Chunk(ReconcileResponder.ManyIds)) _open.Push(new(ReconcileItemKind.Want, item.Range, some));
    }

    private bool Ask(out byte[] next)
    {
        _asked = [];
        for (var length = 0; _open.TryPeek(out var item) && (length += item.Length) <= ReconcileMessage.ItemBytes;) _asked.Add(_open.Pop());
        next = new ReconcileMessage(ReconcileKind.Ask) { Items = _asked }.Encode();
        return true;
    }

    private bool Finish(out byte[]? next, out DecodeError error)
    {
        (next, error) = (null, default);
        IsDone = Count - _onlyHere.Count + _onlyThere.Count == _peer!.Count && (_set.HashAfter(_onlyHere, _onlyThere) ?? default) == _peer.Hash;
        if (IsDone) return true;
        if (++_attempts < Attempts)
        {
            next = Start();
            return true;
        }

        error = new(Reason.Malformed, "the answers do not make the set that was announced");
        return false;
    }

    private sealed record Peer(int Count, Bytes32 Hash);
}
