"""Columns of the datasets of FMP, named as in silver, with FMP's own names."""

from __future__ import annotations

import re

from sbf_core.api import Column

_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_MONEY = "DECIMAL(30,6)"
_PRICE = "DECIMAL(24,8)"


def snake(name: str) -> str:
    """``weightedAverageShsOut`` as ``weighted_average_shs_out``."""
    return _CAPITAL.sub("_", name).lower()


def key(name: str, kind: str = "VARCHAR", *, row_date: bool = False, doc: str = "") -> Column:
    """A column of the key."""
    return Column(name=snake(name), type=kind, key=True, source=name, row_date=row_date, doc=doc)


def some(kind: str, *names: str, unit: str = "", doc: str = "") -> tuple[Column, ...]:
    """Columns of one kind that may be NULL."""
    return tuple(Column(name=snake(name), type=kind, nullable=True, source=name, unit=unit, doc=doc) for name in names)


def texts(*names: str) -> tuple[Column, ...]:
    """Texts."""
    return some("VARCHAR", *names)


def dates(*names: str) -> tuple[Column, ...]:
    """Days."""
    return some("DATE", *names)


def money(*names: str) -> tuple[Column, ...]:
    """Amounts in the currency of the statement."""
    return some(_MONEY, *names, unit="reported currency")


def prices(*names: str, doc: str = "") -> tuple[Column, ...]:
    """Prices and amounts a share."""
    return some(_PRICE, *names, unit="currency of the listing", doc=doc)


def shares(*names: str) -> tuple[Column, ...]:
    """Numbers of shares."""
    return some("DECIMAL(24,4)", *names, unit="shares")


def numbers(*names: str, unit: str = "ratio") -> tuple[Column, ...]:
    """Ratios: what a double holds is enough."""
    return some("DOUBLE", *names, unit=unit)


DAY = key("date", "DATE", row_date=True)
SYMBOL = key("symbol", doc="as FMP writes it, e.g. BRK-B")

EOD = (
    SYMBOL, DAY, *prices("open", "high", "low", "close", "vwap", doc="adjusted for splits, not for dividends"),
    *shares("volume"), *prices("change"), *numbers("changePercent", unit="percent"),
)  # fmt: skip

PROFILE = (
    SYMBOL,
    *texts(
        "companyName", "exchange", "exchangeFullName", "currency", "cik", "isin", "cusip", "sector", "industry",
        "country", "website", "ceo",
    ),
    *dates("ipoDate"), *some("BIGINT", "fullTimeEmployees", unit="persons"),
    *some("BOOLEAN", "isEtf", "isFund", "isAdr", "isActivelyTrading"), *texts("description"),
)  # fmt: skip

DIVIDEND = (
    SYMBOL,
    DAY,
    *dates("recordDate", "paymentDate", "declarationDate"),
    *prices("dividend", "adjDividend"),
    *numbers("yield", unit="percent"),
    *texts("frequency"),
)
SPLIT = (
    SYMBOL,
    DAY,
    *some(
        "DECIMAL(24,10)", "numerator", "denominator", unit="shares", doc="numerator new shares for denominator old ones"
    ),
)

_STATEMENT = (
    SYMBOL, DAY, key("period", doc="FY, Q1, Q2, Q3 or Q4"),
    *texts("reportedCurrency", "cik"), *dates("filingDate"),
    *some("VARCHAR", "acceptedDate", doc="New York time, as FMP writes it"),
    *some("BIGINT", "fiscalYear", doc="as the company counts its years"),
)  # fmt: skip

INCOME = (
    *_STATEMENT,
    *money(
        "revenue", "costOfRevenue", "grossProfit", "researchAndDevelopmentExpenses", "generalAndAdministrativeExpenses",
        "sellingAndMarketingExpenses", "sellingGeneralAndAdministrativeExpenses", "otherExpenses", "operatingExpenses",
        "costAndExpenses", "netInterestIncome", "interestIncome", "interestExpense", "depreciationAndAmortization",
        "ebitda", "ebit", "nonOperatingIncomeExcludingInterest", "operatingIncome", "totalOtherIncomeExpensesNet",
        "incomeBeforeTax", "incomeTaxExpense", "netIncomeFromContinuingOperations",
        "netIncomeFromDiscontinuedOperations", "otherAdjustmentsToNetIncome", "netIncome", "netIncomeDeductions",
        "bottomLineNetIncome",
    ),
    *prices("eps", "epsDiluted"), *shares("weightedAverageShsOut", "weightedAverageShsOutDil"),
)  # fmt: skip

BALANCE = (
    *_STATEMENT,
    *money(
        "cashAndCashEquivalents", "shortTermInvestments", "cashAndShortTermInvestments", "netReceivables",
        "accountsReceivables", "otherReceivables", "inventory", "prepaids", "otherCurrentAssets", "totalCurrentAssets",
        "propertyPlantEquipmentNet", "goodwill", "intangibleAssets", "goodwillAndIntangibleAssets",
        "longTermInvestments", "taxAssets", "otherNonCurrentAssets", "totalNonCurrentAssets", "otherAssets",
        "totalAssets", "totalPayables", "accountPayables", "otherPayables", "accruedExpenses", "shortTermDebt",
        "capitalLeaseObligationsCurrent", "taxPayables", "deferredRevenue", "otherCurrentLiabilities",
        "totalCurrentLiabilities", "longTermDebt", "capitalLeaseObligationsNonCurrent", "deferredRevenueNonCurrent",
        "deferredTaxLiabilitiesNonCurrent", "otherNonCurrentLiabilities", "totalNonCurrentLiabilities",
        "otherLiabilities", "capitalLeaseObligations", "totalLiabilities", "treasuryStock", "preferredStock",
        "commonStock", "retainedEarnings", "additionalPaidInCapital", "accumulatedOtherComprehensiveIncomeLoss",
        "otherTotalStockholdersEquity", "totalStockholdersEquity", "totalEquity", "minorityInterest",
        "totalLiabilitiesAndTotalEquity", "totalInvestments", "totalDebt", "netDebt",
    ),
)  # fmt: skip

CASH_FLOW = (
    *_STATEMENT,
    *money(
        "netIncome", "depreciationAndAmortization", "deferredIncomeTax", "stockBasedCompensation",
        "changeInWorkingCapital", "accountsReceivables", "inventory", "accountsPayables", "otherWorkingCapital",
        "otherNonCashItems", "netCashProvidedByOperatingActivities", "investmentsInPropertyPlantAndEquipment",
        "acquisitionsNet", "purchasesOfInvestments", "salesMaturitiesOfInvestments", "otherInvestingActivities",
        "netCashProvidedByInvestingActivities", "netDebtIssuance", "longTermNetDebtIssuance",
        "shortTermNetDebtIssuance", "netStockIssuance", "netCommonStockIssuance", "commonStockIssuance",
        "commonStockRepurchased", "netPreferredStockIssuance", "netDividendsPaid", "commonDividendsPaid",
        "preferredDividendsPaid", "otherFinancingActivities", "netCashProvidedByFinancingActivities",
        "effectOfForexChangesOnCash", "netChangeInCash", "cashAtEndOfPeriod", "cashAtBeginningOfPeriod",
        "operatingCashFlow", "capitalExpenditure", "freeCashFlow", "incomeTaxesPaid", "interestPaid",
    ),
)  # fmt: skip

_PERIOD = (
    SYMBOL,
    DAY,
    key("period", doc="FY, Q1, Q2, Q3 or Q4"),
    *some("BIGINT", "fiscalYear", doc="as the company counts its years"),
    *texts("reportedCurrency"),
)
KEY_METRICS = (
    *_PERIOD, *money("marketCap", "enterpriseValue"),
    *numbers(
        "evToSales", "evToOperatingCashFlow", "evToFreeCashFlow", "evToEBITDA", "netDebtToEBITDA", "currentRatio",
        "incomeQuality", "returnOnAssets", "returnOnEquity", "returnOnInvestedCapital", "returnOnCapitalEmployed",
        "earningsYield", "freeCashFlowYield", "capexToRevenue",
    ),
    *numbers("workingCapital", "investedCapital", "grahamNumber", unit="reported currency"),
)  # fmt: skip
GROWTH = (
    *_PERIOD,
    *numbers(
        "revenueGrowth", "grossProfitGrowth", "ebitgrowth", "operatingIncomeGrowth", "netIncomeGrowth", "epsgrowth",
        "epsdilutedGrowth", unit="share, 1 is 100 percent",
    ),
)  # fmt: skip
RATIOS = (
    *_PERIOD,
    *numbers(
        "grossProfitMargin", "ebitMargin", "ebitdaMargin", "operatingProfitMargin", "netProfitMargin", "assetTurnover",
        "inventoryTurnover", "currentRatio", "quickRatio", "cashRatio", "priceToEarningsRatio", "priceToBookRatio",
        "priceToSalesRatio", "priceToFreeCashFlowRatio", "debtToAssetsRatio", "debtToEquityRatio",
        "interestCoverageRatio", "dividendPayoutRatio", "dividendYield", "effectiveTaxRate",
    ),
)  # fmt: skip
ENTERPRISE_VALUE = (
    SYMBOL,
    DAY,
    *prices("stockPrice"),
    *shares("numberOfShares"),
    *money("marketCapitalization", "minusCashAndCashEquivalents", "addTotalDebt", "enterpriseValue"),
)
EARNINGS = (
    SYMBOL,
    DAY,
    *prices("epsActual", "epsEstimated"),
    *money("revenueActual", "revenueEstimated"),
    *dates("lastUpdated"),
)
SHARES_FLOAT = (
    SYMBOL,
    *some("TIMESTAMP", "date"),
    *numbers("freeFloat", unit="percent"),
    *shares("floatShares", "outstandingShares"),
)
STOCK = (SYMBOL, *texts("companyName"))
INDICATOR = (
    key("name", doc="e.g. GDP, CPI, unemploymentRate"),
    DAY,
    *some("DECIMAL(30,10)", "value", doc="in the unit of the indicator, which FMP does not say"),
)
TREASURY = (
    DAY,
    *some(
        "DECIMAL(9,4)",
        "month1",
        "month2",
        "month3",
        "month6",
        "year1",
        "year2",
        "year3",
        "year5",
        "year7",
        "year10",
        "year20",
        "year30",
        unit="percent a year",
    ),
)
RISK_PREMIUM = (
    key("country"),
    *texts("continent"),
    *some("DECIMAL(12,6)", "countryRiskPremium", "totalEquityRiskPremium", unit="percent a year"),
)
CONSTITUENT = (SYMBOL, *texts("name", "sector", "subSector", "headQuarter", "dateFirstAdded", "cik", "founded"))
SCREENED = (
    SYMBOL, *texts("companyName", "sector", "industry", "exchange", "exchangeShortName", "country"),
    *money("marketCap"), *prices("price", "lastAnnualDividend"), *numbers("beta"), *shares("volume"),
    *some("BOOLEAN", "isEtf", "isFund", "isActivelyTrading"),
)  # fmt: skip

_STATEMENT_NAMES: dict[str, tuple[str, ...]] = {
    "filingDate": ("filingDate", "fillingDate"), "fiscalYear": ("fiscalYear", "calendarYear"),
    "epsDiluted": ("epsDiluted", "epsdiluted"),
}  # fmt: skip
_PROFILE_NAMES: dict[str, tuple[str, ...]] = {
    "exchange": ("exchangeShortName", "exchange"),
    "exchangeFullName": ("exchangeFullName", "exchange"),
}
#: Where the API had other names before ``stable`` (v3), the names to look for, by dataset.
V3_NAMES: dict[str, dict[str, tuple[str, ...]]] = {
    "profile": _PROFILE_NAMES,
    "profile_bulk": _PROFILE_NAMES,
    "earnings_calendar": {"epsActual": ("epsActual", "eps"), "revenueActual": ("revenueActual", "revenue")},
    **{
        f"{name}{bulk}": _STATEMENT_NAMES
        for name in ("income_statement", "balance_sheet", "cash_flow")
        for bulk in ("", "_bulk")
    },
}
