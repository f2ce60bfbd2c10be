using CloudPeer.Sync.Client;
using CloudPeer.Sync.Log;
using CloudPeer.TestKit;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;
using Xunit;

namespace CloudPeer.Sync.Tests.Client;

/// <summary>What a device notices about a server's log (docs/protocol/log.md §3).</summary>
public sealed class LogCursorTests : IDisposable
{
    private readonly SigningKey _server = SigningKey.Generate(new SeededEntropy(1));
    private readonly DocId _document = new(Some(1));

    private LogCursor Cursor => new(_document, _server.Public);

    [Fact]
    public void The_head_of_exactly_what_was_pulled_is_accepted_and_survives_storage()
    {
        var cursor = Cursor;
        Assert.Null(cursor.Accept(Head([])));
        Pull(cursor, [1, 2, 3]);
        var head = Head([1, 2, 3]);
        Assert.Null(cursor.Accept(head));
        Assert.True(CompactRange.TryDecode(cursor.Pulled.Encode(), out var pulled));
        var restored = new LogCursor(_document, _server.Public, pulled, LogBytes.DecodeHead(LogBytes.Encode(head)));
        Assert.Equal((3UL, 3UL), (restored.Pulled.Size, restored.Promised));
        Pull(restored, [4]);
        Assert.Null(restored.Accept(Head([1, 2, 3, 4])));
    }

    [Theory]
    [InlineData(new byte[] { 1, 2, 9 })]
    [InlineData(new byte[] { 1, 3, 2 })]
    [InlineData(new byte[] { 1, 2, 3, 4 })]
    public void A_head_of_another_log_is_a_fork_and_both_heads_are_evidence(byte[] shown)
    {
        var cursor = Cursor;
        Pull(cursor, [1, 2]);
        var earlier = Head([1, 2]);
        Assert.Null(cursor.Accept(earlier));
        Pull(cursor, [3]);
        var later = Head(shown);
        var fault = cursor.Accept(later);
        Assert.Equal((Reason.ServerFork, earlier, later), (fault!.Reason, fault.Earlier, fault.Later));
        Assert.Same(earlier, cursor.Head);
    }

    [Fact]
    public void A_head_below_one_seen_before_is_a_rollback()
    {
        var cursor = Cursor;
        Pull(cursor, [1, 2, 3]);
        Assert.Null(cursor.Accept(Head([1, 2, 3])));
        Assert.Equal(Reason.ServerRollback, cursor.Accept(Head([1, 2]))?.Reason);
    }

    [Fact]
    public void A_head_below_a_receipt_is_a_rollback()
    {
        var cursor = Cursor;
        Pull(cursor, [1]);
        Assert.Null(cursor.Promise(3, Root([1, 2, 3])));
        Assert.Equal(Reason.ServerRollback, cursor.Accept(Head([1]))?.Reason);
    }

    [Fact]
    public void A_head_that_was_under_way_while_a_receipt_came_is_no_rollback()
    {
        var cursor = Cursor;
        Pull(cursor, [1]);
        cursor.Promise(2, Root([1, 2]));
        Assert.Null(cursor.Accept(Head([1]), mayBeEarlier: true));
        Pull(cursor, [2]);
        Assert.Equal(Reason.ServerRollback, cursor.Accept(Head([1]), mayBeEarlier: true)?.Reason);
        Assert.Null(cursor.Accept(Head([1, 2]), mayBeEarlier: true));
    }

    [Fact]
    public void Entries_that_do_not_lead_to_a_promised_root_are_a_fork()
    {
        var cursor = Cursor;
        cursor.Promise(2, Root([1, 2]));
        Assert.Null(cursor.Append(new(Some(1))));
        Assert.Equal(Reason.ServerFork, cursor.Append(new(Some(7)))?.Reason);
    }

    [Fact]
    public void Two_roots_for_one_size_are_a_fork()
    {
        var cursor = Cursor;
        Pull(cursor, [1]);
        Assert.Null(cursor.Promise(1, Root([1])));
        Assert.Equal(Reason.ServerFork, cursor.Promise(1, Root([2]))?.Reason);
        Assert.Null(cursor.Promise(5, Root([1, 2, 3, 4, 5])));
        Assert.Equal(Reason.ServerFork, cursor.Promise(5, Root([5]))?.Reason);
    }

    [Fact]
    public void A_head_of_another_server_or_document_or_with_a_flipped_byte_is_not_signed()
    {
        using var other = SigningKey.Generate(new SeededEntropy(2));
        var cursor = Cursor;
        Pull(cursor, [1]);
        var good = Head([1]);
        LogHead[] bad =
        [
            LogHead.Sign(other, _document, 1, Root([1]), 5),
            LogHead.Sign(_server, new(Some(9)), 1, Root([1]), 5),
            good with { Size = 2 },
            good with { Root = Root([2]) },
            good with { Micros = 6 },
            good with { Signature = [.. good.Signature[..^1], (byte)(good.Signature[^1] ^ 1)] },
        ];
        Assert.All(bad, head => Assert.Equal(Reason.BadSignature, cursor.Accept(head)?.Reason));
        Assert.Null(cursor.Accept(good));
    }

    public void Dispose() => _server.Dispose();

    private static Bytes32 Some(byte number) => new([.. Enumerable.Repeat(number, 32)]);

    private static Bytes32 Root(byte[] entries) => entries.Aggregate(CompactRange.Empty, (range, entry) => range.Append(new(Some(entry)))).Root;

    private LogHead Head(byte[] entries) => LogHead.Sign(_server, _document, (ulong)entries.Length, Root(entries), 5);

    private static void Pull(LogCursor cursor, byte[] entries) => Assert.All(entries, entry => Assert.Null(cursor.Append(new(Some(entry)))));
}
