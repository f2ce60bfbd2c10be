using System.Globalization;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Xunit;

namespace Tlfs.Core.Tests.Policy.Independent;

/// <summary>
/// The product's evaluation and <see cref="PolicyByTheText"/> say the same of random histories: what is structural, valid, effective and held, who may do what,
/// which envelopes are allowed and which statements a server takes. <c>CLOUDPEER_HISTORIES</c> sets how many histories each test makes; docs/security/vectors.md has the last full run.
/// </summary>
public sealed class AgreementTests
{
    private static readonly ZoneId Nowhere = new([9, .. new byte[15]]);

    private const string Variable = "CLOUDPEER_HISTORIES";

    private static int Count => int.TryParse(Environment.GetEnvironmentVariable(Variable), NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : 1_500;

    [Fact]
    public void Two_evaluators_agree_on_random_histories() => Run(zoned: true);

    [Fact]
    public void Two_evaluators_agree_without_zones() => Run(zoned: false);

    private static void Run(bool zoned)
    {
        var tally = new Tally();
        Dice.ForEach(Count, dice =>
        {
            var history = new History(dice, zoned);
            try
            {
                Compare(history, dice, tally);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"{e.Message}{Environment.NewLine}{history}", e);
            }
        });
        TestContext.Current.TestOutputHelper?.WriteLine(tally.ToString());
        // All questions get both answers often enough to mean something.
        foreach (var (question, yes, no) in tally.All) Assert.True(yes > Count / 50 && no > Count / 50, $"{question}: {yes} yes, {no} no");
    }

    private static void Compare(History history, Dice dice, Tally tally)
    {
        var set = new PolicySet(History.Document);
        foreach (var statement in history.Shuffled())
        {
            set.Add(statement);
            if (dice.Percent(20)) set.Evaluate();
        }

        var view = set.Evaluate();
        var text = new PolicyByTheText(History.Document, history.Statements, history.Chain);
        foreach (var statement in history.Statements) CompareStatement(statement, view, text, history, tally);
        foreach (var use in history.Envelopes) CompareUse(use, view, text, history, tally);
        foreach (var zone in history.Zones.Append(Nowhere))
        {
            foreach (var peer in History.Everybody)
            {
                foreach (var permission in Enum.GetValues<Permission>()) tally.Same("may", text.May(peer, permission, zone), view.May(peer, permission, zone));
            }
        }

        for (var i = 0; i < 3; i++)
        {
            var candidate = history.Candidate();
            tally.Same("acceptable", text.Acceptable(candidate), view.IsAcceptable(candidate, history.Chain), candidate);
        }
    }

    private static void CompareStatement(PolicyStatement statement, PolicyView view, PolicyByTheText text, History history, Tally tally)
    {
        var ruling = view.Judge(statement, history.Chain);
        // The product has one word for a genesis that is not structural and one that another precedes.
        if (statement.Body is not Genesis) tally.Same("structural", text.Structural(statement.Id), IsStructural(ruling.Verdict), statement);
        tally.Same("counts", text.Counts(statement.Id), ruling.Counts, statement);
        if (statement.Body is Revoke or Renounce) tally.Same("effective", text.Effective(statement.Id), view.IsEffective(statement.Id), statement);
        if (view.Grant(statement.Id.Grant) is not { } grant) return;
        tally.Same("valid", text.Valid(statement.Id), grant.Valid, statement);
        tally.Same("holds", text.Holds(statement.Id), grant.Holds, statement);
    }

    private static void CompareUse(Use use, PolicyView view, PolicyByTheText text, History history, Tally tally)
    {
        foreach (var zone in history.Zones.Append(Nowhere))
        {
            foreach (var permission in Enum.GetValues<Permission>())
                tally.Same("allowed", text.Allowed(use, permission, zone), view.Judge(use.Author, use.Seq, use.Id, use.Auth, permission, zone, history.Chain).Counts, use);
            var inside = text.AllowedInside(use, zone).Order().ToList();
            Assert.Equal(inside, view.PathGrants(use.Author, use.Seq, use.Id, use.Auth, zone, history.Chain).Order());
            tally.Same("allowed on a path", inside.Count > 0, view.PathGrants(use.Author, use.Seq, use.Id, use.Auth, zone, history.Chain).Count > 0, use);
        }
    }

    private static bool IsStructural(Verdict verdict) => verdict is Verdict.Counts or >= Verdict.GrantDoesNotCount;

    /// <summary>How often each question was answered with yes and no by both.</summary>
    private sealed class Tally
    {
        private readonly Lock _lock = new();
        private readonly SortedDictionary<string, (int Yes, int No)> _answers = new(StringComparer.Ordinal);

        public IEnumerable<(string Question, int Yes, int No)> All => _answers.Select(answer => (answer.Key, answer.Value.Yes, answer.Value.No));

        public void Same(string question, bool text, bool product, object? about = null)
        {
            Assert.True(text == product, $"{question}: the text says {text}, the product {product}, of {(about is PolicyStatement one ? History.Short(one) : about)}");
            lock (_lock)
            {
                var (yes, no) = _answers.GetValueOrDefault(question);
                _answers[question] = text ? (yes + 1, no) : (yes, no + 1);
            }
        }

        public override string ToString() => string.Join(Environment.NewLine, All.Select(one => $"{one.Question}: {one.Yes} yes, {one.No} no"));
    }
}
