"""The headers of foreign exports, as their systems write them (docs/operate/exports.md)."""


def words(text: str, between: str = " ") -> list[str]:
    """The parts of a text."""
    return text.split(between)


SHOPIFY = words(
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,Subtotal,Shipping,"
    "Taxes,Total,Discount Code,Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,"
    "Lineitem price,Lineitem compare at price,Lineitem sku,Lineitem requires shipping,Lineitem taxable,"
    "Lineitem fulfillment status,Billing Name,Billing Street,Billing Address1,Billing Address2,Billing Company,"
    "Billing City,Billing Zip,Billing Province,Billing Country,Billing Phone,Shipping Name,Shipping Street,"
    "Shipping Address1,Shipping Address2,Shipping Company,Shipping City,Shipping Zip,Shipping Province,"
    "Shipping Country,Shipping Phone,Notes,Note Attributes,Cancelled at,Payment Method,Payment Reference,"
    "Refunded Amount,Vendor,Outstanding Balance,Employee,Location,Device ID,Id,Tags,Risk Level,Source,"
    "Lineitem discount,Tax 1 Name,Tax 1 Value,Tax 2 Name,Tax 2 Value,Tax 3 Name,Tax 3 Value,Tax 4 Name,Tax 4 Value,"
    "Tax 5 Name,Tax 5 Value,Phone,Receipt Number,Duties,Billing Province Name,Shipping Province Name,Payment ID,"
    "Payment Terms Name,Next Payment Due At,Payment References",
    ",",
)
AMAZON = words(
    "order-id order-item-id purchase-date payments-date reporting-date promise-date days-past-promise buyer-email "
    "buyer-name buyer-phone-number sku product-name quantity-purchased quantity-shipped quantity-to-ship "
    "ship-service-level recipient-name ship-address-1 ship-address-2 ship-address-3 ship-city ship-state "
    "ship-postal-code ship-country is-business-order purchase-order-number price-designation is-iba "
    "verge-of-cancellation verge-of-lateShipment",
)
AMAZON_ALL = words(
    "amazon-order-id merchant-order-id purchase-date last-updated-date order-status fulfillment-channel sales-channel "
    "order-channel url ship-service-level product-name sku asin item-status quantity currency item-price item-tax "
    "shipping-price shipping-tax gift-wrap-price gift-wrap-tax item-promotion-discount ship-promotion-discount "
    "ship-city ship-state ship-postal-code ship-country promotion-ids is-business-order purchase-order-number "
    "price-designation is-sold-by-ab",
)
BIGCOMMERCE = words(
    "Order ID,Customer ID,Customer Name,Customer Email,Customer Phone,Order Date,Order Status,Subtotal (inc tax),"
    "Subtotal (ex tax),Tax Total,Shipping Cost (inc tax),Shipping Cost (ex tax),Ship Method,Handling Cost (inc tax),"
    "Handling Cost (ex tax),Store Credit Redeemed,Gift Certificate Amount Redeemed,Gift Certificate Code,"
    "Gift Certificate Expiration Date,Coupon Details,Order Total (inc tax),Order Total (ex tax),Payment Method,"
    "Total Quantity,Total Shipped,Date Shipped,Order Currency Code,Exchange Rate,Order Notes,Customer Message,"
    "Billing First Name,Billing Last Name,Billing Company,Billing Street 1,Billing Street 2,Billing Suburb,"
    "Billing State,Billing Zip,Billing Country,Billing Phone,Billing Email,Shipping First Name,Shipping Last Name,"
    "Shipping Company,Shipping Street 1,Shipping Street 2,Shipping Suburb,Shipping State,Shipping Zip,"
    "Shipping Country,Shipping Phone,Shipping Email,Product Details,Refund Amount,Channel ID,Channel Name",
    ",",
)
SHOPIFY_STOCK = words(
    "Handle,Title,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Option3 Name,Option3 Value,SKU,HS Code,COO,"
    "Location,Bin name,Incoming (not editable),Unavailable (not editable),Committed (not editable),"
    "Available (not editable),On hand (current),On hand (new)",
    ",",
)
WOOCOMMERCE = words(
    "ID,Type,SKU,Name,Published,Is featured?,Visibility in catalog,Short description,Description,"
    "Date sale price starts,Date sale price ends,Tax status,Tax class,In stock?,Stock,Low stock amount,"
    "Backorders allowed?,Sold individually?,Weight (kg),Length (cm),Width (cm),Height (cm),Allow customer reviews?,"
    "Purchase note,Sale price,Regular price,Categories,Tags,Shipping class,Images,Download limit,"
    "Download expiry days,Parent,Grouped products,Upsells,Cross-sells,External URL,Button text,Position",
    ",",
)
SHIPSTATION = words(
    "Order - Number,Date - Shipped Date,Item - SKU,Item - Name,Item - Qty,Item - Price,Amount - Order Total,"
    "Amount - Paid by Customer,Notes - From Buyer,Ship To - Name,Ship To - Company,Ship To - Address 1,"
    "Ship To - Address 2,Ship To - Address 3,Ship To - Country,Custom - Field 1,Carrier - Name,"
    "Shipment - Tracking Number",
    ",",
)
AMAZON_RETURNS = words(
    "Order ID|Order date|Return request date|Return request status|Amazon RMA ID|Merchant RMA ID|Label type|Label cost|"
    "Currency code|Return carrier|Tracking ID|Label to be paid by|A-to-Z Claim|Is prime|ASIN|Merchant SKU|Item Name|"
    "Return quantity|Return Reason|In policy|Return type|Resolution|Invoice number|Return delivery date|Order Amount|"
    "Order quantity|SafeT Action reason|SafeT claim id|SafeT claim state|SafeT claim creation time|"
    "SafeT claim reimbursement amount|Refunded Amount",
    "|",
)
