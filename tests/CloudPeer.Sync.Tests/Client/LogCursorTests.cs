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

    // This device's clock; the servers' statements are from the moments before.
    private const ulong Now = 1_000;
    private const ulong Slack = 600_000_000;

    private LogCursor Cursor => new(_document, _server.Public);

    [Fact]
    public void The_head_of_exactly_what_was_pulled_is_accepted_and_survives_storage()
    {
        var cursor = Cursor;
        Assert.Null(cursor.Accept(Head([]), 0));
        Pull(cursor, [1, 2, 3]);
        var head = Head([1, 2, 3]);
        Assert.Null(cursor.Accept(head, 3));
        Assert.True(CompactRange.TryDecode(cursor.Pulled.Encode(), out var pulled));
        var restored = new LogCursor(_document, _server.Public, pulled, LogBytes.DecodeHead(LogBytes.Encode(head)), [], new Stored([1, 2, 3]));
        Assert.Equal((3UL, 3UL), (restored.Pulled.Size, restored.AtLeast));
        Pull(restored, [4]);
        Assert.Null(restored.Accept(Head([1, 2, 3, 4]), 3));
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
        Assert.Null(cursor.Accept(earlier, 2));
        Pull(cursor, [3]);
        var later = Head(shown);
        var fault = cursor.Accept(later, cursor.AtLeast);
        Assert.Equal(Reason.ServerFork, fault!.Reason);
        Assert.Equal([earlier, later], fault.Evidence!.Statements.Select(each => ((HeadStatement)each).Head));
        Assert.True(LogCursor.Prove(fault, later, [.. shown.Select(id => new EnvelopeId(Some(id)))]).Evidence!.Verify() || shown is [1, 2, ..]);
        Assert.Same(earlier, cursor.Head);
    }

    [Fact]
    public void A_head_below_one_seen_before_is_a_rollback()
    {
        var cursor = Cursor;
        Pull(cursor, [1, 2, 3]);
        Assert.Null(cursor.Accept(Head([1, 2, 3]), 3));
        Assert.Equal(Reason.ServerRollback, cursor.Accept(Head([1, 2]), cursor.AtLeast)?.Reason);
    }

    [Fact]
    public void A_head_below_a_receipt_is_a_rollback()
    {
        var cursor = Cursor;
        Pull(cursor, [1]);
        Assert.Null(cursor.Promise(Said([1, 2, 3])));
        var fault = cursor.Accept(Head([1], 5 + 600_000_000), cursor.AtLeast);
        Assert.Equal((Reason.ServerRollback, true), (fault!.Reason, fault.Evidence!.Verify()));
    }

    [Fact]
    public void A_head_that_was_under_way_while_a_receipt_came_is_no_rollback()
    {
        var cursor = Cursor;
        Pull(cursor, [1]);
        var atLeast = cursor.AtLeast;
        cursor.Promise(Said([1, 2]));
        Assert.Null(cursor.Accept(Head([1]), atLeast));
        Pull(cursor, [2]);
        Assert.Equal(Reason.ServerRollback, cursor.Accept(Head([1]), atLeast)?.Reason);
        Assert.Null(cursor.Accept(Head([1, 2]), atLeast));
    }

    [Fact]
    public void Entries_that_do_not_lead_to_a_promised_root_are_a_fork_and_the_next_head_proves_it()
    {
        var cursor = Cursor;
        cursor.Promise(Said([1, 2]));
        Pull(cursor, [1, 7]);
        Assert.True(cursor.IsBroken);
        Assert.Equal((Reason.ServerFork, false), (cursor.Unfinished()!.Reason, cursor.Unfinished()!.Evidence!.Verify()));
        Pull(cursor, [8]);
        var fault = cursor.Accept(Head([1, 7, 8]), 0);
        Assert.Equal((Reason.ServerFork, true), (fault!.Reason, fault.Evidence!.Verify()));
    }

    [Fact]
    public void Two_roots_for_one_size_are_a_fork_with_proof()
    {
        var cursor = Cursor;
        Pull(cursor, [1]);
        Assert.Null(cursor.Accept(Head([1]), 0));
        Assert.Null(cursor.Promise(Said([1])));
        Assert.True(cursor.Promise(Said([2]))!.Evidence!.Verify());
        Assert.Null(cursor.Promise(Said([1, 2, 3, 4, 5])));
        Assert.True(cursor.Promise(Said([1, 2, 3, 4, 6]))!.Evidence!.Verify());
    }

    [Fact]
    public void What_another_device_saw_is_compared_at_every_size_that_was_pulled()
    {
        for (byte size = 1; size <= 6; size++)
        {
            byte[] log = [1, 2, 3, 4, 5, 6];
            var cursor = Cursor;
            Pull(cursor, log);
            Assert.Null(cursor.Accept(Head(log), 0));
            cursor.MarkStored(new Stored(log));
            Assert.Null(cursor.Promise(Said(log[..size])));
            var fault = cursor.Promise(Said([.. log[..(size - 1)], 9]));
            Assert.Equal((Reason.ServerFork, true), (fault!.Reason, fault.Evidence!.Verify()));
        }
    }

    [Fact]
    public void What_the_server_did_not_sign_is_no_promise_and_no_fault()
    {
        var cursor = Cursor;
        Pull(cursor, [1]);
        Assert.Null(cursor.Accept(Head([1]), 0));
        Assert.Null(cursor.Promise(new HeadStatement(Head([2]) with { Micros = 9 })));
        Assert.Null(cursor.Promise(new HeadStatement(Head([1, 2]) with { Micros = 9 })));
        Assert.Equal((1UL, false), (cursor.AtLeast, cursor.IsBroken));
    }

    [Fact]
    public void A_generation_takes_the_cursor_back_and_what_was_signed_beyond_before_it_counts_no_more()
    {
        var cursor = Cursor;
        Pull(cursor, [1, 2, 3]);
        cursor.MarkStored(new Stored([1, 2, 3]));
        Pull(cursor, [4]);
        var lost = Head([1, 2, 3, 4]);
        Assert.Null(cursor.Accept(lost, 0));
        cursor.Promise(Said([1, 2, 3, 4, 5]));
        var taken = cursor.Take(Began(1, [1, 2], 100), Now);
        Assert.Equal((null, true, lost), (taken.Fault, taken.IsNew, taken.Lost));
        Assert.Equal((2UL, 2UL, null), (cursor.Pulled.Size, cursor.AtLeast, cursor.Head));
        Assert.Equal(default, cursor.Take(Began(1, [1, 2], 100), Now));
        Assert.Null(cursor.Promise(Said([1, 2, 3])));
        Pull(cursor, [7, 8]);
        Assert.Null(cursor.Accept(Head([1, 2, 7, 8], 101), 0));
        Assert.Null(cursor.Promise(Said([1, 2, 3, 4])));
        Assert.True(cursor.Promise(Said([1, 9]))!.Evidence!.Verify());
    }

    [Fact]
    public void A_generation_beyond_what_was_pulled_is_a_promise()
    {
        var cursor = Cursor;
        Pull(cursor, [1]);
        Assert.True(cursor.Take(Began(1, [1, 2], 100), Now).IsNew);
        Assert.Equal((1UL, 2UL), (cursor.Pulled.Size, cursor.AtLeast));
        Pull(cursor, [3]);
        Assert.True(cursor.IsBroken);
    }

    [Fact]
    public void What_another_device_saw_of_a_new_generation_does_not_speak_against_it()
    {
        var cursor = Cursor;
        Pull(cursor, [1, 2]);
        Assert.Null(cursor.Accept(Head([1, 2]), 0));
        Assert.Null(cursor.PromiseSeen(Head([1, 2, 3], 99)));
        Assert.Null(cursor.PromiseSeen(Head([1, 7, 8, 9], 101)));
        Assert.True(cursor.Take(Began(1, [1], 100), Now) is { Fault: null, IsNew: true });
        Assert.Equal((1UL, 4UL), (cursor.Pulled.Size, cursor.AtLeast));
        Pull(cursor, [7]);
        Assert.Equal(Reason.ServerRollback, cursor.Accept(Head([1, 7], 102), cursor.AtLeast)?.Reason);
        Pull(cursor, [8, 6]);
        Assert.Equal(Reason.ServerFork, cursor.Accept(Head([1, 7, 8, 6], 103), cursor.AtLeast)?.Reason);
    }

    [Fact]
    public void What_this_device_was_given_too_speaks_against_a_generation_that_leaves_it_out()
    {
        var cursor = Cursor;
        Pull(cursor, [1]);
        Assert.Null(cursor.PromiseSeen(Head([1, 2], 101)));
        Assert.Null(cursor.Take(Receipt([1, 2], 101)));
        Assert.Equal(Reason.ServerRollback, cursor.Take(Began(1, [1], 100), Now).Fault?.Reason);
    }

    [Fact]
    public void A_generation_that_is_old_wrong_or_of_another_log_is_not_taken()
    {
        var cursor = Cursor;
        Pull(cursor, [1, 2, 3]);
        Assert.Null(cursor.Accept(Head([1, 2, 3]), 0));
        Assert.Equal(Reason.BadSignature, cursor.Take(Began(1, [1], 100) with { Number = 2 }, Now).Fault?.Reason);
        var never = cursor.Take(Began(1, [1, 9], 100), Now).Fault;
        Assert.Equal((Reason.ServerFork, true), (never!.Reason, never.Evidence!.Verify()));
        Assert.Equal(Reason.ServerRollback, cursor.Take(Began(1, [1], 5), Now).Fault?.Reason);
        Assert.True(cursor.Take(Began(2, [1, 2, 3], 100), Now).IsNew);
        Assert.Equal(default, cursor.Take(Began(1, [1], 99), Now));
        var twice = cursor.Take(Began(2, [1], 100), Now).Fault;
        Assert.Equal((Reason.ServerFork, true), (twice!.Reason, twice.Evidence!.Verify()));
        Assert.Equal(3UL, cursor.Pulled.Size);
    }

    [Fact]
    public void A_generation_of_a_time_to_come_is_not_taken_since_it_would_take_back_all_that_is_signed_until_then()
    {
        foreach (var micros in new[] { Now + Slack + 1, ulong.MaxValue })
        {
            var cursor = Cursor;
            Pull(cursor, [1]);
            Assert.Null(cursor.Accept(Head([1]), 0));
            var refused = Assert.Throws<TlfsException>(() => cursor.Take(Began(1, [1], micros), Now));
            Assert.Contains("clock", refused.Message, StringComparison.Ordinal);
            Assert.Empty(cursor.Generations);
        }

        Assert.True(Cursor.Take(Began(1, [1], Now + Slack), Now).IsNew);
    }

    [Fact]
    public void What_a_server_signs_now_counts_although_its_clock_is_a_little_behind_its_restore()
    {
        var cursor = Restored(Slack);
        Assert.Null(cursor.Take(Receipt([1, 2, 3], 0)));
        Assert.Equal(3UL, cursor.AtLeast);
        Pull(cursor, [2]);
        Assert.Equal(Reason.ServerRollback, cursor.Accept(Head([1, 2], 0), cursor.AtLeast)?.Reason);
        Pull(cursor, [3]);
        Assert.Null(cursor.Accept(Head([1, 2, 3], 0), cursor.AtLeast));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void A_receipt_whose_envelope_is_not_the_one_at_that_place_of_the_log_is_a_fork(bool isPulled, bool isStored)
    {
        var cursor = Cursor;
        byte[] log = [1, 2, 3];
        Pull(cursor, isPulled ? log : log[..1]);
        Assert.Null(cursor.Accept(Head(isPulled ? log : log[..1]), 0));
        if (isStored) cursor.MarkStored(new Stored(log));
        Assert.Null(cursor.Take(Receipt([1, 2], 5)));
        var wrong = Receipt([1, 2, 3], 5, of: 9);
        Assert.True(wrong.Verify());
        var fault = cursor.Take(wrong);
        if (!isPulled)
        {
            Pull(cursor, [2, 3]);
            Assert.True(cursor.IsBroken);
            fault = cursor.Accept(Head(log), 0);
        }

        Assert.Equal(Reason.ServerFork, fault!.Reason);
        Assert.Same(wrong, Assert.Single(fault.Evidence!.Statements.OfType<ReceiptStatement>()).Receipt);
        Assert.Equal(3UL, Assert.Single(fault.Evidence.Statements.OfType<HeadStatement>()).Size);
    }

    [Fact]
    public void Receipts_for_two_envelopes_at_one_place_are_a_fork_whatever_else_promised_it()
    {
        var cursor = Cursor;
        Assert.Null(cursor.Promise(Said([1])));
        Assert.Null(cursor.Take(Receipt([1], 5)));
        Assert.Null(cursor.Promise(Said([1])));
        Assert.Null(cursor.Take(Receipt([1], 5)));
        Assert.Equal(Reason.ServerFork, cursor.Take(Receipt([1], 5, of: 9))?.Reason);
        Pull(cursor, [1]);
        Assert.Null(cursor.Accept(Head([1]), 0));
    }

    [Fact]
    public void What_a_server_signs_now_as_if_it_were_before_its_restore_is_not_accepted()
    {
        var cursor = Restored(Slack + 1);
        Assert.Contains("clock", Assert.Throws<TlfsException>(() => cursor.Take(Receipt([1, 2], 0))).Message, StringComparison.Ordinal);
        Assert.Equal(1UL, cursor.AtLeast);
        Pull(cursor, [2]);
        Assert.Contains("clock", Assert.Throws<TlfsException>(() => cursor.Accept(Head([1, 2], 0), 0)).Message, StringComparison.Ordinal);
        Assert.Equal(1UL, cursor.Head?.Size);
        Assert.Null(cursor.Accept(Head([1, 2], 1), 0));
    }

    [Fact]
    public void More_generations_than_are_kept_are_not_taken_and_those_that_are_known_stay_so()
    {
        var cursor = Cursor;
        for (var number = 1U; number <= Evidence.MaxGenerations; number++) Assert.True(cursor.Take(Began(number, [], number), Now + number).IsNew);
        Assert.Equal(default, cursor.Take(Began(1, [], 1), Now));
        Assert.Equal(Reason.TooLarge, Assert.Throws<TlfsException>(() => cursor.Take(Began(2_000, [], 2_000), 2_000)).Reason);
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
        Assert.All(bad, head => Assert.Equal(Reason.BadSignature, cursor.Accept(head, 0)?.Reason));
        Assert.Null(cursor.Accept(good, 0));
    }

    public void Dispose() => _server.Dispose();

    private static Bytes32 Some(byte number) => new([.. Enumerable.Repeat(number, 32)]);

    private static Bytes32 Root(byte[] entries) => entries.Aggregate(CompactRange.Empty, (range, entry) => range.Append(new(Some(entry)))).Root;

    private LogHead Head(byte[] entries, ulong micros = 5) => LogHead.Sign(_server, _document, (ulong)entries.Length, Root(entries), micros);

    private HeadStatement Said(byte[] entries) => new(Head(entries));

    private Generation Began(uint number, byte[] entries, ulong micros) => Generation.Sign(_server, _document, number, (ulong)entries.Length, Root(entries), micros);

    // A log of one entry that was restored without a loss at this time.
    private LogCursor Restored(ulong micros)
    {
        var cursor = Cursor;
        Pull(cursor, [1]);
        Assert.Null(cursor.Accept(Head([1], 0), 0));
        Assert.True(cursor.Take(Began(1, [1], micros), micros).IsNew);
        return cursor;
    }

    private Receipt Receipt(byte[] entries, ulong micros, byte? of = null) =>
        ReceiptBatch.Sign(_server, [new(_document, new(Some(of ?? entries[^1])), (ulong)entries.Length - 1, (ulong)entries.Length, Root(entries), micros)])[0];

    private static void Pull(LogCursor cursor, byte[] entries)
    {
        foreach (var entry in entries) cursor.Append(new(Some(entry)));
    }

    private sealed class Stored(byte[] entries) : IPulledLog
    {
        public Bytes32 RootAt(ulong size) => Root(entries[..(int)size]);

        public EnvelopeId IdAt(ulong index) => new(Some(entries[(int)index]));

        public IReadOnlyList<EnvelopeId> Ids(ulong count) => [.. entries.Take((int)count).Select(entry => new EnvelopeId(Some(entry)))];
    }
}
